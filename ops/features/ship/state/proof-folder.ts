// Where the proofs of a repository's ships lie, and what they say.
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { runIdPattern } from '#shared/ids'
import { shipResult, type ShipResult } from '#shared/result'
import { hasCode } from '#shared/system-error'
import { gitPath } from '#ops/platform/git/work-tree'
import { readJson, writeWhole } from '#ops/base/files/json-file'
import { runFolder } from '#ops/base/paths/paths'

/** Folder of a repository that belongs to HQ. */
export const proofRoot = 'artifacts'
/** Files of a proof. */
export const resultFile = 'ship_result.json'
export const eventsFile = 'events.ndjson'

const pattern = `/${proofRoot}/`

/** Folder of all ships of a repository. */
export const shipsFolder = (repo: string): string => join(repo, proofRoot, 'ship')

/**
 * Makes `<repo>/artifacts/ship/<run_id>/` and keeps `artifacts/` out of git through `.git/info/exclude`, which is the
 * operator's own file and in no commit.
 * @throws {RangeError} for a bad run id
 */
export async function makeProofFolder(repo: string, runId: string): Promise<string> {
  const folder = runFolder(shipsFolder(repo), runId)
  const exclude = await gitPath(repo, 'info/exclude')
  const text = existsSync(exclude) ? readFileSync(exclude, 'utf8') : ''
  if (!text.split(/\r?\n/).includes(pattern))
    writeWhole(exclude, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${pattern}\n`)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** Run ids of the ships whose proof lies in this repository, newest first. */
export function shipIds(repo: string): string[] {
  try {
    return readdirSync(shipsFolder(repo), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && runIdPattern.test(entry.name))
      .map(({ name }) => name)
      .toSorted()
      .toReversed()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

/** Null for a folder that a killed run left without a result, or that was tampered with: it is evidence of nothing. */
export function readResult(dir: string): ShipResult | null {
  try {
    return readJson(join(dir, resultFile), shipResult, 'internal_error') ?? null
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}
