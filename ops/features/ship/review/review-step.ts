import { copyFileSync, cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { VerdictDocument } from '#shared/signature'
import { withWorktree } from '#ops/platform/git/linked-worktree'
import { writeJson } from '#ops/base/files/json-file'
import { signVerdict } from '#ops/core/trust/sign-verdict'
import type { Step, StepContext } from '#ops/core/pipeline/pipeline'
import { readOperatorSettings } from '#ops/core/config/settings-files'
import { chosenProvider, credentialEnv, refuseUnreachable } from './codex-provider.ts'
import { codexProgram, codexVersion } from './codex-run.ts'
import { acceptedProviders } from './review-base.ts'
import { bindingsFile, conditionsOf } from './review-bindings.ts'
import { makeReviewDiff } from './review-diff.ts'
import { askAll, packetsFolder, questionFiles, type ReviewOutcome } from './review-requests.ts'
import { findReusableVerdict, type ReusableVerdict } from './reuse-verdict.ts'
import type { EarlierShip } from '#ops/features/ship/state/resolve-earlier-ship'
import { frozenOf, keyOf, type Ship } from '#ops/features/ship/state/ship-state'

export const proofFiles = {
  diff: 'diff.patch',
  ...questionFiles,
  review_bindings: bindingsFile,
  verdict: 'verdict.json',
} as const

/** What a ship's scratch folder in the temporary folder is called; a killed one is found by it. */
export const scratchPrefix = (runId: string): string => `openclaw-review-${runId}-`

/** The artifact is named in the result only when it is there. */
function note(ship: Ship, name: keyof typeof proofFiles): void {
  if (existsSync(join(ship.dir, proofFiles[name]))) ship.artifacts[name] = proofFiles[name]
}

async function review(
  ship: Ship,
  context: StepContext,
  scratch: string,
): Promise<{ detail: string }> {
  const { base, head, tree, gates, flags } = frozenOf(ship)
  // As they were before the tests of the change ran: those could have written the file.
  const settings = { ...readOperatorSettings(ship.home), review: frozenOf(ship).review }
  const provider = chosenProvider(settings)
  ship.scripted = provider.scripted
  const diff = await makeReviewDiff(
    ship.repo,
    frozenOf(ship),
    { path: join(ship.dir, proofFiles.diff), scratch },
    context,
    () => note(ship, 'diff'),
  )
  const program = codexProgram(settings.review.codex, ship.env)
  const cliVersion = await codexVersion(program, context, scratch)
  const [conditions, notes] = [
    conditionsOf(ship, settings, provider, diff, cliVersion),
    { gateChanges: gates.changed, flags },
  ]
  const reusable = await findReusableVerdict(
    ship,
    { conditions, diff, notes, maxAgeHours: settings.review.reuse_approved_hours },
    (text) => context.log(text),
  )
  // An approval that is used again does not become younger by it.
  writeJson(
    join(ship.dir, bindingsFile),
    reusable ? { ...conditions, asked: reusable.asked } : conditions,
  )
  note(ship, 'review_bindings')
  if (reusable) return reuse(ship, reusable, context)

  credentialEnv(provider, ship.env, scratch) // before anybody is asked: without credentials nobody is
  await refuseUnreachable(provider, context.signal)
  context.log(
    `asking ${settings.review.model} at ${provider.label} (${provider.base_url}) through ${cliVersion}${provider.scripted ? '; scripted (demo)' : ''}${diff.packets.length > 1 ? `; ${diff.packets.length} parts` : ''}`,
  )
  let reviewed: ReviewOutcome
  try {
    reviewed = await withWorktree(
      { repo: ship.repo, commit: head, maker: ship.runId },
      (folder) =>
        askAll(
          diff,
          notes,
          {
            program,
            provider,
            model: settings.review.model,
            folder,
            scratch,
            timeLimitSeconds: gates.review.timeout_seconds,
            env: ship.env,
          },
          context,
        ),
      { signal: context.signal },
    )
  } finally {
    for (const name of ['review_prompt', 'review_events', 'review_answer'] as const)
      note(ship, name)
  }
  const { answer, packets } = reviewed
  recordVerdict(
    ship,
    signVerdict(
      {
        schema_version: 1,
        verdict_id: `verdict-${ship.runId}`,
        run_id: ship.runId,
        verdict: 'APPROVED',
        repository: gates.project,
        base_sha: base,
        head_sha: head,
        tree_sha: tree,
        diff_sha256: diff.sha256,
        prompt_sha256: reviewed.prompt_sha256,
        nonce: reviewed.nonce,
        files: [...diff.files],
        findings: answer.findings,
        summary: answer.summary,
        gate_settings_changed: [...gates.changed],
        ...(flags.length === 0 ? {} : { flags: [...flags] }),
        ...(packets === null ? {} : { packets }),
        reviewer: {
          cli: 'codex',
          cli_version: cliVersion,
          model: settings.review.model,
          provider_id: provider.id,
          base_url: provider.base_url,
          scripted: provider.scripted,
        },
        usage: reviewed.usage,
        created_at: new Date().toISOString(),
      },
      keyOf(ship),
    ),
  )
  const remarks =
    answer.findings.length === 0
      ? ''
      : `, ${answer.findings.length} ${answer.findings.length === 1 ? 'note' : 'notes'}`
  const parts = packets === null ? '' : ` in ${packets.length} parts`
  return {
    detail: `approved by ${settings.review.model}${provider.scripted ? ', scripted (demo)' : ''}: ${diff.files.length} ${diff.files.length === 1 ? 'file' : 'files'}${parts}${remarks}`,
  }
}

/** The one place where a verdict is made lasting: what is written here is what will be pushed, to the byte. */
function recordVerdict(ship: Ship, verdict: VerdictDocument): void {
  writeJson(join(ship.dir, proofFiles.verdict), verdict)
  note(ship, 'verdict')
  ship.verdict = verdict
}

/** The verdict of a ship that was pushed already: what the remote has, while its provider is still accepted. */
function takeOver(ship: Ship, { dir, runId, verdict }: EarlierShip): { detail: string } {
  const accepted = acceptedProviders(readOperatorSettings(ship.home))
  const { provider_id, base_url, scripted } = verdict.reviewer
  if (!accepted.some((each) => each.id === provider_id && each.base_url === base_url))
    throw new Problem(
      'review_provider_refused',
      `The verdict on the remote is by ${provider_id} at ${base_url}, which the operator settings no longer accept.`,
    )
  copyReview(
    ship,
    dir,
    Object.keys(proofFiles).filter((name) => name !== 'verdict') as (keyof typeof proofFiles)[],
  )
  recordVerdict(ship, verdict)
  ship.scripted = scripted
  return { detail: `approved in ${runId} for this commit` }
}

/** Files of another ship's review, as far as they are there. */
function copyReview(ship: Ship, from: string, names: readonly (keyof typeof proofFiles)[]): void {
  for (const name of names) {
    if (existsSync(join(from, proofFiles[name])))
      copyFileSync(join(from, proofFiles[name]), join(ship.dir, proofFiles[name]))
    note(ship, name)
  }
  if (existsSync(join(from, packetsFolder)))
    cpSync(join(from, packetsFolder), join(ship.dir, packetsFolder), { recursive: true })
}

/** An approval of this very question that is young enough: nobody is asked again. */
function reuse(
  ship: Ship,
  { dir, verdict, ageMinutes }: ReusableVerdict,
  context: StepContext,
): { detail: string } {
  copyReview(ship, dir, ['review_prompt', 'review_events', 'review_answer'])
  recordVerdict(ship, verdict)
  ship.scripted = verdict.reviewer.scripted
  ship.reused = {
    run_id: verdict.run_id,
    verdict_id: verdict.verdict_id,
    approved_at: verdict.created_at,
    age_minutes: ageMinutes,
  }
  const origin = `re-used from run ${verdict.run_id}, ${ageMinutes} ${ageMinutes === 1 ? 'minute' : 'minutes'} old`
  context.log(`${verdict.verdict_id} stands: everything it was bound to is as it was; ${origin}`)
  return {
    detail: `approved by ${verdict.reviewer.model}${ship.scripted ? ', scripted (demo)' : ''}; ${origin}`,
  }
}

/** Has the real Codex CLI review everything since the newest proven ancestor. Only a full, bound approval passes. */
export const reviewStep = (ship: Ship): Step<object> => ({
  name: 'review_auto',
  timeLimitSeconds: 6 * 3600,
  run: async (_facts, context) => {
    const { earlier } = frozenOf(ship)
    if (earlier) return takeOver(ship, earlier)
    const scratch = mkdtempSync(join(tmpdir(), scratchPrefix(ship.runId)))
    try {
      return await review(ship, context, scratch)
    } finally {
      rmSync(scratch, { recursive: true, force: true, maxRetries: 3 })
    }
  },
})
