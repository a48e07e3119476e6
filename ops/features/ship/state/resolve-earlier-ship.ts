import { hasCode } from '#shared/system-error'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { runIdPattern } from '#shared/ids'
import { shipResult, type ShipResult } from '#shared/result'
import { verdictDocument, type VerdictDocument } from '#shared/signature'
import { reviewRef } from '#shared/verdict'
import { readBlob } from '#ops/platform/git/objects'
import type { GitOptions } from '#ops/platform/git/run-git'
import { parseJson, readJson } from '#ops/base/files/json-file'
import { checkVerdictSignature } from '#ops/core/trust/sign-verdict'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { shipFolder } from './proof-folder.ts'

/** An earlier ship of the same commit whose verdict stands on the remote although it did not end PASS. */
export interface EarlierShip {
  readonly runId: string
  readonly dir: string
  /** null: it was killed right after its push, or its proof is not here. Then the tests are run again. */
  readonly result: ShipResult | null
  readonly verdict: VerdictDocument
}

const gatesBeforePush = ['tests', 'review_auto', 'check_fail_closed_push'] as const

/** Run ids of the ships whose proof lies in this repository, newest first. */
export function shipIds(repo: string): string[] {
  try {
    return readdirSync(shipFolder(repo))
      .filter((name) => runIdPattern.test(name))
      .toSorted()
      .toReversed()
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}

/** A folder that a killed run left without a result, or one that was tampered with, is evidence of nothing. */
export function readResult(dir: string): ShipResult | null {
  try {
    return readJson(join(dir, 'ship_result.json'), shipResult, 'internal_error') ?? null
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}

/** The baseline is trusted whatever verdict lies beside it: one that is not of this laptop is no trace of a ship from here. */
function ownVerdict(text: string | null, keys: TrustedKeys): VerdictDocument | null {
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

/**
 * Looks for a ship that was pushed and could not be confirmed (cut off, cancelled while pushing, killed). Its gates must all
 * have passed, and its verdict must be, to the byte, the one that the remote has. One that was killed has no result, so
 * nothing says that its tests passed but the verdict, which this laptop signed after them.
 *
 * @param repo with `refs/openclaw/reviews/*` just fetched
 * @param keys of this laptop
 * @returns `shipped` when some ship of this commit ended PASS; else the newest to settle, if any
 */
export async function findEarlierShip(
  repo: string,
  head: string,
  keys: TrustedKeys,
  options: GitOptions,
): Promise<{ shipped: boolean; earlier: EarlierShip | null }> {
  const verdict = ownVerdict(await readBlob(repo, reviewRef(head), options), keys)
  let earlier: EarlierShip | null = null
  for (const name of shipIds(repo)) {
    const dir = join(shipFolder(repo), name)
    const result = readResult(dir)
    if (result?.git_head !== head) continue
    if (result.overall === 'PASS') return { shipped: true, earlier: null }
    const passed = gatesBeforePush.every((gate) =>
      result.steps.some((step) => step.name === gate && step.status === 'passed'),
    )
    if (earlier || !passed || verdict === null) continue
    if (verdict.run_id === result.run_id || verdict.verdict_id === result.verdict_id)
      earlier = { runId: result.run_id, dir, result, verdict }
  }
  if (earlier || verdict === null) return { shipped: false, earlier }
  return {
    shipped: false,
    earlier: {
      runId: verdict.run_id,
      dir: join(shipFolder(repo), verdict.run_id),
      result: null,
      verdict,
    },
  }
}
