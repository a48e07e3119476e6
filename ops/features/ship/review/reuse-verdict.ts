// Finds an earlier approval that still stands, so that the same commit is not reviewed twice.
import { uptime } from 'node:os'
import { basename, join } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { toProblem } from '#shared/errors'
import { timeOfRun } from '#shared/ids'
import { verdictDocument, type VerdictDocument } from '#shared/signature'
import { oneOrMany, plural } from '#shared/plural'
import { readJson } from '#ops/base/files/json-file'
import { checkVerdictSignature } from '#ops/core/trust/sign-verdict'
import { bootId } from '#ops/base/process/process-tree'
import { verifyBundle } from '#ops/core/proof/verify-bundle'
import { wasRefused } from './earlier-refusal.ts'
import { bindingsFile, proofFiles } from './proof-files.ts'
import { promptDigestWith, type PromptNotes } from './prompts.ts'
import { reviewConditions, type ReviewConditions } from './review-bindings.ts'
import { readResult, shipsFolder, shipIds } from '#ops/features/ship/state/proof-folder'
import type { ReviewDiff } from './review-diff.ts'
import { frozenOf, laptopKeys, type ShipFacts } from '#ops/features/ship/state/ship-facts'

export interface ReusableVerdict {
  /** Folder of the proof that it is taken from. */
  readonly dir: string
  readonly verdict: VerdictDocument
  readonly ageMinutes: number
  readonly asked: ReviewConditions['asked']
}

/** The review that would be requested now. */
export interface PlannedReview {
  readonly conditions: ReviewConditions
  readonly diff: ReviewDiff
  readonly notes: PromptNotes
  readonly maxAgeHours: number
}

const hourMs = 3_600_000

/**
 * Finds an approval of exactly this request: an earlier ship of the same commit whose sealed proof verifies, whose
 * verdict this laptop signed, and of which no condition changed. A refusal that came later than an approval ends the
 * search, in any attempt of a ship and however that ship ended: only the newest answer of a reviewer counts. So does a
 * refusal of which nothing proves that it came before the approval.
 *
 * @returns null when a new review is required; `log` receives the reason
 */
export async function findReusableVerdict(
  facts: ShipFacts,
  planned: PlannedReview,
  log: (text: string) => void,
): Promise<ReusableVerdict | null> {
  if (planned.maxAgeHours <= 0) return null
  const { head } = frozenOf(facts)
  const others = otherShips(facts).map((id) => join(shipsFolder(facts.repo), id))
  for (const dir of others) {
    const id = basename(dir)
    const result = readResult(dir)
    if (result?.git_head !== head || result.verdict_id === null || wasRefused(dir, head)) continue
    const found = await judgeOrSay(facts, dir, planned)
    if (typeof found === 'string') {
      log(`the approval of ${id} is not used again: ${found}`)
      continue
    }
    for (const refused of others.filter((each) => wasRefused(each, head))) {
      if (await isBefore(facts, refused, dir)) continue
      log(`${basename(refused)} was refused by its reviewer; a new review is requested`)
      return null
    }
    return found
  }
  return null
}

const otherShips = ({ repo, runId }: ShipFacts): string[] =>
  shipIds(repo).filter((id) => id !== runId)

/** A proof that cannot be read proves nothing. */
async function judgeOrSay(
  facts: ShipFacts,
  dir: string,
  planned: PlannedReview,
): Promise<ReusableVerdict | string> {
  try {
    return await judge(facts, dir, planned)
  } catch (error) {
    return toProblem(error).message
  }
}

/** @returns the approval in `dir`, or why it does not stand for the planned review */
async function judge(
  facts: ShipFacts,
  dir: string,
  planned: PlannedReview,
): Promise<ReusableVerdict | string> {
  const keys = laptopKeys(facts)
  const proof = await verifyBundle(dir, { keys })
  if (proof.state !== 'verified') {
    const [first] = proof.problems
    return `its proof is ${proof.state}${first === undefined ? '' : `: ${first.detail}`}`
  }
  const then = readJson(join(dir, bindingsFile), reviewConditions, 'verdict_mismatch')
  const verdict = readJson(join(dir, proofFiles.verdict), verdictDocument, 'verdict_mismatch')
  if (!then || !verdict) return 'its proof lacks the conditions of its review'
  if (checkVerdictSignature(verdict, keys) !== 'verified')
    return 'it is not signed by the key of this laptop'
  const differ = differing(then, planned.conditions)
  if (differ.length > 0)
    return `${differ.join(', ')} ${oneOrMany(differ.length, 'has', 'have')} changed`
  const other = otherRequest(verdict, planned)
  if (other !== null) return other
  const age = ageOf(verdict, then.asked, otherShips(facts))
  if (typeof age === 'string') return age
  const ageMinutes = Math.floor(age / 60_000)
  if (age >= planned.maxAgeHours * hourMs) return `it is ${plural(ageMinutes, 'minute')} old`
  return { dir, verdict, ageMinutes, asked: then.asked }
}

/** Fields in which two conditions differ. */
const differing = (then: ReviewConditions, now: ReviewConditions): string[] =>
  (Object.keys(now) as (keyof ReviewConditions)[]).filter(
    (name) => name !== 'asked' && !isDeepStrictEqual(then[name], now[name]),
  )

/** What the verdict itself says, compared with the planned review. Its signature was checked. */
function otherRequest(
  verdict: VerdictDocument,
  { conditions, diff, notes }: PlannedReview,
): string | null {
  const then = contentOf(verdict)
  const now = plannedContent(conditions, diff, notes)
  const other = (Object.keys(now) as (keyof typeof now)[]).filter(
    (name) => !isDeepStrictEqual(then[name], now[name]),
  )
  if (other.length > 0)
    return `its ${other.join(', ')} ${oneOrMany(other.length, 'differs', 'differ')}`
  if (verdict.findings.some(({ severity }) => severity === 'blocking'))
    return 'it carries a blocking finding'
  const nonces =
    verdict.packets === undefined ? [verdict.nonce] : verdict.packets.map(({ nonce }) => nonce)
  return promptDigestWith(diff, notes, nonces) === verdict.prompt_sha256
    ? null
    : 'the text of the review request has changed'
}

const contentOf = (verdict: VerdictDocument) => ({
  repository: verdict.repository,
  base: verdict.base_sha,
  head: verdict.head_sha,
  tree: verdict.tree_sha,
  diff: verdict.diff_sha256,
  model: verdict.reviewer.model,
  provider: verdict.reviewer.provider_id,
  base_url: verdict.reviewer.base_url,
  scripted: verdict.reviewer.scripted,
  cli_version: verdict.reviewer.cli_version,
  program: verdict.reviewer.program_sha256,
  files: verdict.files,
  unproven: verdict.unproven,
  gates: verdict.gate_settings_changed,
  flags: verdict.flags ?? [],
})

const plannedContent = (
  now: ReviewConditions,
  diff: ReviewDiff,
  notes: PromptNotes,
): ReturnType<typeof contentOf> => ({
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
  program: now.program_sha256,
  files: [...diff.files],
  unproven: [...diff.unproven],
  gates: [...notes.gateChanges],
  flags: [...notes.flags],
})

/**
 * Age of an approval in ms. Within one boot, setting the clock cannot make it younger than it is.
 * @param others other ships of the repository: one that is dated in the future proves that the clock was set back
 * @returns why the age is not known, otherwise
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

/**
 * Did the refusal in `refused` certainly come before the approval in `approved`? By name, and by the order of the proof
 * chain, which no clock changes.
 */
async function isBefore(facts: ShipFacts, refused: string, approved: string): Promise<boolean> {
  const first = await positionOf(facts, refused)
  const second = await positionOf(facts, approved)
  return (
    basename(refused) < basename(approved) &&
    first !== null &&
    second !== null &&
    first.chain === second.chain &&
    first.counter < second.counter
  )
}

/** Number of a sealed ship in the proof chain of this laptop, or null. */
async function positionOf(
  facts: ShipFacts,
  dir: string,
): Promise<{ chain: string; counter: number } | null> {
  const { state, chain, counter } = await verifyBundle(dir, {
    keys: laptopKeys(facts),
    contents: false,
  })
  return state === 'verified' && chain !== null && counter !== null ? { chain, counter } : null
}
