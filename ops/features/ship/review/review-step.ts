// Has the real Codex CLI review what the push changes, and what below it is not proven.
// Only a full, bound approval passes.
import type { ShipStep } from '#shared/steps'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withSeparateTree } from '#ops/platform/git/separate-tree'
import { writeJson } from '#ops/base/files/json-file'
import type { Step, FactContext } from '#ops/core/pipeline/pipeline'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { leaveStatements } from './statements.ts'
import { frozenOf, type ShipFacts } from '#ops/features/ship/state/ship-facts'
import { adoptVerdict } from './adopt-verdict.ts'
import { chosenProvider, credentialEnv, refuseUnreachable } from './codex-provider.ts'
import { refuseCodexOfChange } from './codex-place.ts'
import { codexProgram } from './codex-program.ts'
import { knowCodex, type KnownCodex } from './codex-start.ts'
import { bindingsFile, proofFiles, reviewArtifacts } from './proof-files.ts'
import type { PromptNotes } from './prompts.ts'
import { requestReview, type ReviewOutcome } from './request-review.ts'
import { findReusableVerdict } from './reuse-verdict.ts'
import { conditionsOf, type ReviewSetting } from './review-bindings.ts'
import { makeReviewDiff, type ReviewDiff } from './review-diff.ts'
import { describeApproval, signApproval } from './sign-approval.ts'
import { reuseVerdict, writeVerdict, type Reviewed } from './write-verdict.ts'

type Context = FactContext<ShipFacts>

/** Name of a ship's scratch folder in the temporary folder; the folder of a killed ship is found by it. */
export const scratchPrefix = (runId: string): string => `openclaw-review-${runId}-`

export const reviewStep: Step<ShipFacts, ShipStep> = {
  name: 'review_auto',
  timeLimitSeconds: 6 * 3600,
  run: async (facts, context) => {
    const { earlier } = frozenOf(facts)
    const scratch = mkdtempSync(join(tmpdir(), scratchPrefix(facts.runId)))
    try {
      const { detail, ...found } = earlier
        ? adoptVerdict(facts, earlier)
        : await review(facts, scratch, context)
      const statements = await leaveStatements(facts, found.verdict, { signal: context.signal })
      return { facts: { ...found, statements, artifacts: artifactsOf(facts) }, detail }
    } catch (error) {
      context.note({ artifacts: artifactsOf(facts) }) // what was written until then is evidence
      throw error
    } finally {
      rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
    }
  },
}

const artifactsOf = ({ artifacts, dir }: ShipFacts): ShipFacts['artifacts'] => ({
  ...artifacts,
  ...reviewArtifacts(dir),
})

async function review(facts: ShipFacts, scratch: string, context: Context): Promise<Reviewed> {
  const frozen = frozenOf(facts)
  // As they were before the tests of the change ran: those could have written the file.
  const settings = { ...readOperatorSettings(facts.home), review: frozen.review }
  const provider = chosenProvider(settings)
  context.note({ scripted: provider.scripted })
  const diff = await makeReviewDiff(
    { repo: facts.repo, ...frozen },
    {
      copy: join(facts.dir, proofFiles.diff),
      besideCopy: join(facts.dir, proofFiles.unproven),
      scratch,
    },
    context,
  )
  const program = await reviewerOf(facts, settings.review.codex, { scratch, context })
  const setting: ReviewSetting = { settings, provider, program }
  const notes = { gateChanges: frozen.gates.changed, flags: frozen.flags }
  const conditions = conditionsOf(facts, setting, diff)
  const reusable = await findReusableVerdict(
    facts,
    { conditions, diff, notes, maxAgeHours: settings.review.reuse_approved_hours },
    (text) => context.log(text),
  )
  // An approval that is used again does not become younger by it.
  writeJson(
    join(facts.dir, bindingsFile),
    reusable ? { ...conditions, asked: reusable.asked } : conditions,
  )
  if (reusable) return reuseVerdict(facts, reusable, context)
  const outcome = await request(facts, { diff, notes, scratch, setting }, context)
  const verdict = signApproval(facts, { diff, outcome, setting })
  writeVerdict(facts.dir, verdict)
  return {
    verdict,
    scripted: provider.scripted,
    detail: describeApproval(verdict, settings.review.model),
  }
}

/**
 * Found again after the tests of the change ran: they could have put a link in its place.
 * @throws {Problem} `program_in_repository`, `review_unavailable`
 */
async function reviewerOf(
  facts: ShipFacts,
  chosen: string | null,
  { scratch, context }: { readonly scratch: string; readonly context: Context },
): Promise<KnownCodex> {
  const { repo } = facts
  const { head } = frozenOf(facts)
  const found = codexProgram(chosen, repo)
  await refuseCodexOfChange(found, { repo, head, git: { signal: context.signal } })
  const folder = join(scratch, 'codex')
  mkdirSync(folder)
  const program = await knowCodex(found, context, folder)
  context.log(`reviewer: ${program.version}, ${found.file}, SHA-256 ${program.sha256}`)
  return program
}

interface Request {
  readonly diff: ReviewDiff
  readonly notes: PromptNotes
  readonly scratch: string
  readonly setting: ReviewSetting
}

/** Requests the review in a clean tree of the commit. */
async function request(
  facts: ShipFacts,
  { diff, notes, scratch, setting }: Request,
  context: Context,
): Promise<ReviewOutcome> {
  const { head, gates } = frozenOf(facts)
  const { provider, program } = setting
  const { model } = setting.settings.review
  credentialEnv(provider, facts.env, scratch) // first: without credentials nothing is requested
  await refuseUnreachable(provider, context.signal)
  const scripted = provider.scripted ? '; scripted (demo)' : ''
  const parts = diff.packets.length > 1 ? `; ${diff.packets.length} parts` : ''
  context.log(
    `requesting ${model} at ${provider.label} (${provider.base_url}) through ${program.version}${scripted}${parts}`,
  )
  return withSeparateTree(
    { repo: facts.repo, commit: head },
    (folder) =>
      requestReview(
        {
          diff,
          notes,
          codex: {
            program,
            provider,
            model,
            folder,
            scratch,
            timeLimitSeconds: gates.review.timeout_seconds,
            env: facts.env,
          },
        },
        context,
      ),
    { signal: context.signal },
  )
}
