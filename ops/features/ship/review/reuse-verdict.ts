import { uptime } from 'node:os'
import { basename, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { toProblem } from '#shared/errors'
import { timeOfRun } from '#shared/ids'
import { verdictDocument, type VerdictDocument } from '#shared/signature'
import { readJson } from '#ops/base/files/json-file'
import { checkVerdictSignature } from '#ops/core/trust/sign-verdict'
import { bootId } from '#ops/base/process/process-tree'
import { verifyBundle } from '#ops/core/proof/verify-bundle'
import { wasRefused } from './earlier-refusal.ts'
import { bindingsFile, reviewConditions, type ReviewConditions } from './review-bindings.ts'
import { shipFolder } from '#ops/features/ship/state/proof-folder'
import type { ReviewDiff } from './review-diff.ts'
import { promptDigestWith, type PromptNotes } from './review-requests.ts'
import { readResult, shipIds } from '#ops/features/ship/state/resolve-earlier-ship'
import { frozenOf, ownKeys, type Ship } from '#ops/features/ship/state/ship-state'

export interface ReusableVerdict {
  /** Folder of the proof it is taken from. */
  readonly dir: string
  readonly verdict: VerdictDocument
  readonly ageMinutes: number
  readonly asked: ReviewConditions['asked']
}

export interface Question {
  readonly conditions: ReviewConditions
  readonly diff: ReviewDiff
  readonly notes: PromptNotes
  readonly maxAgeHours: number
}

const hourMs = 3_600_000

/** Fields in which two conditions differ. */
const differing = (then: ReviewConditions, now: ReviewConditions): string[] =>
  (Object.keys(now) as (keyof ReviewConditions)[]).filter(
    (name) => name !== 'asked' && !isDeepStrictEqual(then[name], now[name]),
  )

/** What the verdict itself says, against the question of now; its signature was checked. */
function otherQuestion(
  verdict: VerdictDocument,
  { conditions: now, diff, notes }: Question,
): string | null {
  const { reviewer } = verdict
  const said = {
    repository: verdict.repository,
    base: verdict.base_sha,
    head: verdict.head_sha,
    tree: verdict.tree_sha,
    diff: verdict.diff_sha256,
    model: reviewer.model,
    provider: reviewer.provider_id,
    base_url: reviewer.base_url,
    scripted: reviewer.scripted,
    cli_version: reviewer.cli_version,
    files: verdict.files,
    gates: verdict.gate_settings_changed,
    flags: verdict.flags ?? [],
  }
  const asked: typeof said = {
    repository: now.project,
    base: now.base_sha,
    head: now.head_sha,
    tree: now.tree_sha,
    diff: now.diff_sha256,
    model: now.model,
    provider: now.provider.id,
    base_url: now.provider.base_url,
    scripted: now.provider.scripted,
    cli_version: now.cli_version,
    files: [...diff.files],
    gates: [...notes.gateChanges],
    flags: [...notes.flags],
  }
  const other = (Object.keys(asked) as (keyof typeof asked)[]).filter(
    (name) => !isDeepStrictEqual(said[name], asked[name]),
  )
  if (other.length > 0)
    return `its ${other.join(', ')} ${other.length === 1 ? 'differs' : 'differ'}`
  if (verdict.findings.some(({ severity }) => severity === 'blocking'))
    return 'it carries a blocking finding'
  const nonces =
    verdict.packets === undefined ? [verdict.nonce] : verdict.packets.map(({ nonce }) => nonce)
  return promptDigestWith(diff, notes, nonces) === verdict.prompt_sha256
    ? null
    : 'the question would be worded otherwise now'
}

/** @returns why the approval in `dir` does not stand for the question of now, or the approval */
async function judge(
  ship: Ship,
  dir: string,
  question: Question,
): Promise<ReusableVerdict | string> {
  const proof = await verifyBundle(dir, { keys: ownKeys(ship) })
  if (proof.state !== 'verified')
    return `its proof is ${proof.state}${proof.problems[0] === undefined ? '' : `: ${proof.problems[0].detail}`}`
  const then = readJson(join(dir, bindingsFile), reviewConditions, 'verdict_mismatch')
  const verdict = readJson(join(dir, 'verdict.json'), verdictDocument, 'verdict_mismatch')
  if (!then || !verdict) return 'its proof does not hold the conditions of its review'
  if (checkVerdictSignature(verdict, ownKeys(ship)) !== 'verified')
    return "it does not bear the signature of this laptop's key"
  const differ = differing(then, question.conditions)
  if (differ.length > 0)
    return `${differ.join(', ')} ${differ.length === 1 ? 'is' : 'are'} not as it was`
  const other = otherQuestion(verdict, question)
  if (other !== null) return other
  const age = ageOf(
    verdict,
    then.asked,
    shipIds(ship.repo).filter((id) => id !== ship.runId),
  )
  if (typeof age === 'string') return age
  if (age >= question.maxAgeHours * hourMs) return `it is ${Math.floor(age / 60_000)} minutes old`
  return { dir, verdict, ageMinutes: Math.floor(age / 60_000), asked: then.asked }
}

/**
 * Age of an approval in ms. Within one boot no clock that somebody sets can make it younger than it is.
 * @param others other ships of the repository: one that is dated in the future says that the clock was set back
 * @returns why it is not known otherwise
 */
function ageOf(
  { created_at }: VerdictDocument,
  asked: ReviewConditions['asked'],
  others: readonly string[],
): number | string {
  const now = Date.now()
  const byClock = now - Date.parse(created_at)
  if (byClock < 0) return 'it is dated in the future'
  if (asked?.boot_id === bootId())
    return Math.max(byClock, (uptime() - asked.uptime_seconds) * 1000)
  const [later] = others.filter((id) => timeOfRun(id) > now)
  return later === undefined
    ? byClock
    : `its age is not known: ${later} is dated in the future, so the clock was set back`
}

/** Number of a sealed ship in the chain of this laptop, or null. */
async function placeOf(
  ship: Ship,
  dir: string,
): Promise<{ chain: string; counter: number } | null> {
  const { state, chain, counter } = await verifyBundle(dir, {
    keys: ownKeys(ship),
    contents: false,
  })
  return state === 'verified' && chain !== null && counter !== null ? { chain, counter } : null
}

/** Was the refusal in `refused` certainly before the approval in `approved`? By name and by the order of the proof, which no clock changes. */
async function isBefore(ship: Ship, refused: string, approved: string): Promise<boolean> {
  const [first, second] = [await placeOf(ship, refused), await placeOf(ship, approved)]
  return (
    basename(refused) < basename(approved) &&
    first !== null &&
    second !== null &&
    first.chain === second.chain &&
    first.counter < second.counter
  )
}

/**
 * Looks for an approval of this very question: an earlier ship of the same commit whose sealed proof verifies, whose
 * verdict this laptop signed, and of which every condition is as it was. A refusal that came later than an approval, in any
 * attempt of a ship and however that ended, ends the search: only the newest answer of a reviewer counts. A refusal of which
 * nothing proves that it came before does so too.
 *
 * @returns null when a new review is needed; why is logged
 */
export async function findReusableVerdict(
  ship: Ship,
  question: Question,
  log: (text: string) => void,
): Promise<ReusableVerdict | null> {
  if (question.maxAgeHours <= 0) return null
  const { head } = frozenOf(ship)
  const others = shipIds(ship.repo)
    .filter((id) => id !== ship.runId)
    .map((id) => join(shipFolder(ship.repo), id))
  for (const dir of others) {
    const id = basename(dir)
    const result = readResult(dir)
    if (result?.git_head !== head || result.verdict_id === null || wasRefused(dir, head)) continue
    let found: ReusableVerdict | string
    try {
      found = await judge(ship, dir, question)
    } catch (error) {
      found = toProblem(error).message // a proof that cannot be read proves nothing
    }
    if (typeof found === 'string') {
      log(`the approval of ${id} is not used again: ${found}`)
      continue
    }
    for (const refused of others.filter((each) => wasRefused(each, head))) {
      if (await isBefore(ship, refused, dir)) continue
      log(`${basename(refused)} was refused by its reviewer; the review is made again`)
      return null
    }
    return found
  }
  return null
}
