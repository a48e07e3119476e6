import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gitPath } from '#ops/platform/git/work-tree'
import { writeWhole } from '#ops/base/files/json-file'
import { runFolder } from '#ops/base/paths/paths'

/** Folder of a repository that is HQ's own. */
export const proofPlace = 'artifacts'

/** Where the proofs of a repository's ships lie. */
export const shipFolder = (repo: string): string => join(repo, proofPlace, 'ship')

const pattern = `/${proofPlace}/`

/**
 * Makes `<repo>/artifacts/ship/<run_id>/` and keeps `artifacts/` out of git through `.git/info/exclude`, which is the
 * operator's own file and in no commit.
 * @throws {RangeError} for a bad run id
 */
export async function makeProofFolder(repo: string, runId: string): Promise<string> {
  const folder = runFolder(shipFolder(repo), runId)
  const exclude = await gitPath(repo, 'info/exclude')
  const text = existsSync(exclude) ? readFileSync(exclude, 'utf8') : ''
  if (!text.split(/\r?\n/).includes(pattern))
    writeWhole(exclude, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${pattern}\n`)
  mkdirSync(folder, { recursive: true })
  return folder
}
