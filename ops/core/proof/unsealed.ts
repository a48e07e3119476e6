import { basename, join } from 'node:path'
import { existsSync } from 'node:fs'
import { toProblem, type Problem } from '#shared/errors'
import { manifestName, type BundleKind } from '#shared/proof'
import { resultDocument } from '#shared/result'
import { readJson } from '#ops/base/files/json-file'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { sealBundle } from './seal-bundle.ts'
import { kindOf } from './verify-bundle.ts'
import { bundleFolders } from './verify-chain.ts'

/** The result document that a finished bundle of each kind holds. Without it the run has not ended, or not well. */
export const resultFiles: Record<BundleKind, string> = {
  ship: 'ship_result.json',
  deploy: 'deploy_result.json',
  dod: 'dod_result.json',
  doctor: 'doctor.json',
  phase0: 'phase0_result.json',
}

export interface LeftUnsealed {
  readonly dir: string
  readonly kind: BundleKind
  readonly runId: string
  readonly gitHead: string | null
  readonly gitTree: string | null
}

/** Finished runs whose bundle was not sealed: killed in between, or from before there were seals. Oldest first. */
export function leftUnsealed(root: string, kinds: readonly BundleKind[]): LeftUnsealed[] {
  return bundleFolders(root, kinds).flatMap((dir): LeftUnsealed[] => {
    const kind = kindOf(dir)
    if (kind === null || existsSync(join(dir, manifestName))) return []
    const result = readResult(join(dir, resultFiles[kind]))
    return result === null
      ? []
      : [{ dir, kind, runId: basename(dir), gitHead: result.git_head, gitTree: result.git_tree }]
  })
}

function readResult(path: string): { git_head: string | null; git_tree: string | null } | null {
  try {
    return readJson(path, resultDocument, 'action_no_result') ?? null
  } catch {
    return null // damaged: nothing that could be sealed as the proof of a run
  }
}

/**
 * Seals what earlier runs left unsealed, for the start of the next run of this side.
 * @param except run ids that are still under way
 * @param most bundles that are sealed at once, the newest; default: all
 * @returns what could not be sealed, and why
 */
export async function sealLeftovers({
  root,
  kinds,
  chainFile,
  key,
  except,
  most,
}: {
  root: string
  kinds: readonly BundleKind[]
  chainFile: string
  key: SigningKey
  except: ReadonlySet<string>
  most?: number
}): Promise<{ sealed: string[]; failed: { runId: string; problem: Problem }[] }> {
  const sealed: string[] = []
  const failed: { runId: string; problem: Problem }[] = []
  const waiting = leftUnsealed(root, kinds).filter(({ runId }) => !except.has(runId))
  for (const left of most === undefined ? waiting : waiting.slice(-most)) {
    try {
      await sealBundle({ ...left, chainFile, key })
      sealed.push(left.runId)
    } catch (error) {
      failed.push({ runId: left.runId, problem: toProblem(error) })
    }
  }
  return { sealed, failed }
}
