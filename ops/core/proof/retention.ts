import { existsSync, lstatSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { RetentionSettings } from '#shared/config'
import { Problem, toProblem } from '#shared/errors'
import {
  manifest as manifestSchema,
  manifestName,
  tombstoneName,
  type BundleKind,
} from '#shared/proof'
import { resultDocument } from '#shared/result'
import { timeOfRun } from '#shared/ids'
import { readJson } from '#ops/base/files/json-file'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { pruneBundle } from './prune-bundle.ts'
import { resultFiles } from './unsealed.ts'
import { kindOf } from './verify-bundle.ts'
import { bundleFolders } from './verify-chain.ts'

/** Something whose logs may go. */
export interface Prunable {
  /** Names it for people. */
  readonly name: string
  readonly runId: string
  /** Bytes of its logs. */
  readonly bytes: number
  /** Never pruned now, whatever its age. */
  readonly kept: boolean
  /** Deletes its logs, after the record of that is in place. @throws {Problem} */
  readonly prune: () => void
}

export interface Pass {
  readonly pruned: string[]
  readonly freed: number
  /** The bound was reached: the next pass goes on. */ readonly more: boolean
  readonly failed: { readonly name: string; readonly problem: Problem }[]
}

/** The newest green ones of each kind are kept whole. */
const keptGreen = 3
const dayMs = 86_400_000
/** Most work of one pass. */
const maxPruned = 200
const maxMs = 20_000

/** Results and verdicts, small and the point of a proof, stay for ever; everything else of a bundle is log. */
export const isLog = (path: string): boolean => !/\.(?:json|intoto\.jsonl)$/.test(path)

/** Bytes of the logs below a folder; links are not followed. */
function logBytes(dir: string): number {
  let bytes = 0
  for (const entry of readdirSync(dir, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && isLog(entry.name) && !entry.name.startsWith('.'))
      bytes += lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0
  }
  return bytes
}

function isGreen(dir: string, kind: BundleKind): boolean {
  try {
    return (
      readJson(join(dir, resultFiles[kind]), resultDocument, 'action_no_result')?.overall === 'PASS'
    )
  } catch {
    return false // damaged: no proof of anything green
  }
}

/**
 * The sealed bundles below `root` that still hold logs, oldest first. Of each kind the newest three green ones are
 * kept.
 * @param key bundles that another key sealed are left alone: nobody could sign the record of what was deleted
 */
export async function prunableBundles(
  root: string,
  kinds: readonly BundleKind[],
  key: SigningKey,
): Promise<{ readonly found: Prunable[]; readonly keptRuns: ReadonlySet<string> }> {
  const found: Prunable[] = []
  const keptRuns = new Set<string>()
  const green = new Map<BundleKind, number>()
  for (const [at, dir] of bundleFolders(root, kinds).toReversed().entries()) {
    if (at % 100 === 99) await turn()
    const kind = kindOf(dir)
    if (kind === null) continue
    const seen = green.get(kind) ?? 0
    const kept = seen < keptGreen && isGreen(dir, kind)
    if (kept) {
      green.set(kind, seen + 1)
      keptRuns.add(basename(dir))
    }
    // Not sealed: the run goes on, or was killed and is sealed by the next one.
    if (!existsSync(join(dir, manifestName))) continue
    const bytes = logBytes(dir)
    if (bytes === 0) continue
    found.push({
      name: `${kind} ${basename(dir)}`,
      runId: basename(dir),
      bytes,
      kept,
      prune: () => pruneOne(dir, key),
    })
  }
  return { found: found.toReversed(), keptRuns }
}

function pruneOne(dir: string, key: SigningKey): void {
  const sealed = readJson(join(dir, manifestName), manifestSchema, 'proof_broken')
  if (sealed?.signature.key_id !== key.id)
    throw new Problem(
      'proof_broken',
      `${dir} was sealed with another key than this one, so nothing of it is deleted.`,
    )
  pruneBundle({ dir, key, drop: ({ path }) => isLog(path) })
}

/**
 * Deletes logs that are older than the limit, and the oldest while all of them together are larger than the limit
 * (docs/OPERATING_MODEL.md). One pass does bounded work. What a kill leaves half done verifies, and the next pass
 * completes it.
 *
 * @param candidates everything that holds logs, in any order
 */
export async function prunePass(
  candidates: readonly Prunable[],
  { log_days, log_bytes, min_days }: RetentionSettings,
  now: Date = new Date(),
): Promise<Pass> {
  const began = performance.now()
  const pruned: string[] = []
  const failed: { name: string; problem: Problem }[] = []
  let total = candidates.reduce((sum, { bytes }) => sum + bytes, 0)
  let freed = 0
  for (const { name, runId, bytes, kept, prune } of candidates.toSorted((a, b) =>
    a.runId < b.runId ? -1 : 1,
  )) {
    const days = (now.getTime() - timeOfRun(runId)) / dayMs
    if (kept || days < min_days || (days < log_days && total <= log_bytes)) continue
    if (pruned.length >= maxPruned || performance.now() - began > maxMs)
      return { pruned, freed, more: true, failed }
    try {
      prune()
      pruned.push(name)
      total -= bytes
      freed += bytes
    } catch (error) {
      failed.push({ name, problem: toProblem(error) })
    }
    await turn()
  }
  return { pruned, freed, more: false, failed }
}

/** What a pass did, for a log. @returns nothing when there was nothing to do */
export function describePass({ pruned, freed, more, failed }: Pass): string[] {
  const [first = ''] = pruned
  const runs =
    pruned.length === 1 ? first : `${pruned.length} runs, ${first} to ${pruned.at(-1) ?? ''}`
  const deleted =
    `Retention deleted the logs of ${runs} (${freed} bytes); each has a signed ${tombstoneName}.` +
    (more ? ' The next run goes on.' : '')
  const done = pruned.length === 0 ? [] : [deleted]
  return [
    ...done,
    ...failed.map(({ name, problem }) => `Retention left the logs of ${name}: ${problem.message}`),
  ]
}
