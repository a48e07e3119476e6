// An earlier ship of the same commit that was pushed and not confirmed.
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { ShipResult } from '#shared/result'
import { verdictDocument, type VerdictDocument } from '#shared/signature'
import { reviewRef } from '#shared/verdict'
import { readBlob } from '#ops/platform/git/objects'
import type { GitOptions } from '#ops/platform/git/run-git'
import { parseJson } from '#ops/base/files/json-file'
import { checkVerdictSignature } from '#ops/core/trust/sign-verdict'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { readResult, shipsFolder, shipIds } from './proof-folder.ts'

/** An earlier ship of the same commit whose verdict is on the remote although the ship did not end PASS. */
export interface EarlierShip {
  readonly runId: string
  readonly dir: string
  /** null: it was killed right after its push, or its proof is not here. Then the tests are run again. */
  readonly result: ShipResult | null
  readonly verdict: VerdictDocument
}

const gatesBeforePush = ['tests', 'review_auto', 'check_fail_closed_push'] as const

/**
 * Finds a ship that was pushed and could not be confirmed (cut off, cancelled while pushing, killed). All its gates
 * must have passed, and its verdict must be the one that the remote has, to the byte. A killed ship has no result: only
 * the verdict, which this laptop signed after the tests, says that they passed.
 *
 * @param commit `repo` has just fetched `refs/openclaw/reviews/*`
 * @param keys of this laptop
 * @returns `shipped` when a ship of this commit ended PASS; else the newest ship to resolve, if any
 */
export async function findEarlierShip(
  { repo, head }: { readonly repo: string; readonly head: string },
  keys: TrustedKeys,
  options: GitOptions,
): Promise<{ shipped: boolean; earlier: EarlierShip | null }> {
  const verdict = verdictOfLaptop(
    await readBlob(repo, reviewRef(head), { ...options, tooLarge: 'verdict_mismatch' }),
    keys,
  )
  let earlier: EarlierShip | null = null
  for (const name of shipIds(repo)) {
    const dir = join(shipsFolder(repo), name)
    const result = readResult(dir)
    if (result?.git_head !== head) continue
    if (result.overall === 'PASS') return { shipped: true, earlier: null }
    if (earlier || verdict === null || !passedAllGates(result)) continue
    if (verdict.run_id === result.run_id || verdict.verdict_id === result.verdict_id)
      earlier = { runId: result.run_id, dir, result, verdict }
  }
  if (earlier || verdict === null) return { shipped: false, earlier }
  const { run_id } = verdict
  return {
    shipped: false,
    earlier: { runId: run_id, dir: join(shipsFolder(repo), run_id), result: null, verdict },
  }
}

const passedAllGates = ({ steps }: ShipResult): boolean =>
  gatesBeforePush.every((gate) =>
    steps.some((step) => step.name === gate && step.status === 'passed'),
  )

/** The verdict when this laptop signed it. Any other one beside the commit is not the trace of a ship from here. */
function verdictOfLaptop(text: string | null, keys: TrustedKeys): VerdictDocument | null {
  if (text === null) return null
  try {
    const verdict = parseJson(text, verdictDocument, {
      errorClass: 'verdict_mismatch',
      origin: 'the verdict on the remote',
    })
    return checkVerdictSignature(verdict, keys) === 'verified' ? verdict : null
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}
