// Writes the verdict of a ship: what is written here is what will be pushed, to the byte.
import { copyFileSync, cpSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { VerdictDocument } from '#shared/signature'
import { plural } from '#shared/plural'
import { writeJson } from '#ops/base/files/json-file'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import type { ShipFacts } from '#ops/features/ship/state/ship-facts'
import { packetsFolder, proofFiles, type ProofFile } from './proof-files.ts'
import type { ReusableVerdict } from './reuse-verdict.ts'

/** What the review gate found. */
export interface Reviewed extends Pick<ShipFacts, 'scripted'> {
  readonly verdict: VerdictDocument
  readonly reused?: ShipFacts['reused']
  readonly detail: string
}

/** The only function that makes a verdict lasting. @param dir folder of the proof */
export const writeVerdict = (dir: string, verdict: VerdictDocument): void =>
  writeJson(join(dir, proofFiles.verdict), verdict)

/** Copies files of another ship's review, as far as they are there. */
export function copyReview(from: string, dir: string, names: readonly ProofFile[]): void {
  for (const name of names)
    if (existsSync(join(from, proofFiles[name])))
      copyFileSync(join(from, proofFiles[name]), join(dir, proofFiles[name]))
  if (existsSync(join(from, packetsFolder)))
    cpSync(join(from, packetsFolder), join(dir, packetsFolder), { recursive: true })
}

/** Uses an approval of exactly this request that is young enough: no new review is requested. */
export function reuseVerdict(
  facts: ShipFacts,
  { dir, verdict, ageMinutes }: ReusableVerdict,
  context: Pick<StepContext, 'log'>,
): Reviewed {
  copyReview(dir, facts.dir, ['review_prompt', 'review_events', 'review_answer'])
  writeVerdict(facts.dir, verdict)
  const { model, scripted } = verdict.reviewer
  const age = `${plural(ageMinutes, 'minute')} old`
  const origin = `re-used from run ${verdict.run_id}, ${age}`
  context.log(`${verdict.verdict_id} stands: nothing that it was bound to has changed; ${origin}`)
  return {
    verdict,
    scripted,
    reused: {
      run_id: verdict.run_id,
      verdict_id: verdict.verdict_id,
      approved_at: verdict.created_at,
      age_minutes: ageMinutes,
    },
    detail: `approved by ${model}${scripted ? ', scripted (demo)' : ''}; ${origin}`,
  }
}
