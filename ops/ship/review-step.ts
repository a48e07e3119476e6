import { createHash, randomBytes } from 'node:crypto'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { Verdict } from '#shared/verdict'
import { withWorktree } from '../git/linked-worktree.ts'
import { withNeutralGit } from '../git/neutral-diff.ts'
import { writeJson, writeWhole } from '../json-file.ts'
import type { Step, StepContext } from '../pipeline.ts'
import { readOperatorSettings } from '../settings-files.ts'
import { chosenProvider, credentialEnv, refuseUnreachable } from './codex-provider.ts'
import { askCodex, codexProgram, codexVersion } from './codex-run.ts'
import { judgeAnswer, parseAnswer } from './judge-answer.ts'
import { reviewPrompt, type ReviewBindings } from './review-prompt.ts'
import { acceptedProviders } from './review-base.ts'
import type { EarlierShip } from './settle.ts'
import { frozenOf, type Ship } from './ship-state.ts'

export const proofFiles = { diff: 'diff.patch', review_prompt: 'review_prompt.txt', review_events: 'review.jsonl', review_answer: 'review_answer.json', verdict: 'verdict.json' } as const

/** What a ship's scratch folder in the temporary folder is called; a killed one is found by it. */
export const scratchPrefix = (runId: string): string => `openclaw-review-${runId}-`

/** The artifact is named in the result only when it is there. */
function note(ship: Ship, name: keyof typeof proofFiles): void {
  if (existsSync(join(ship.dir, proofFiles[name]))) ship.artifacts[name] = proofFiles[name]
}

/** Makes the diff from objects alone and the bindings to it. @throws {Problem} `review_too_large` */
async function makeDiff(ship: Ship, context: StepContext) {
  const { base, head, tree, gates } = frozenOf(ship)
  const file = join(ship.dir, proofFiles.diff)
  const made = await withNeutralGit(ship.repo, async (neutral) => ({ ...await neutral.diffTo(file, base, head), files: await neutral.changedFiles(base, head) }), { signal: context.signal })
  note(ship, 'diff')
  context.log(`${made.files.length} files, ${made.bytes} bytes of diff`)
  if (made.bytes > gates.review.max_diff_bytes) {
    throw new Problem('review_too_large', `The diff since ${base.slice(0, 12)} has ${made.bytes} bytes; one review takes at most ${gates.review.max_diff_bytes}. Nobody was asked and nothing was pushed.`)
  }
  const bindings: ReviewBindings = { base_sha: base, head_sha: head, tree_sha: tree, diff_sha256: made.sha256, nonce: randomBytes(32).toString('hex'), files: made.files.map(({ path }) => path) }
  return { bindings, files: made.files, diff: readFileSync(file, 'utf8') }
}

async function review(ship: Ship, context: StepContext, scratch: string): Promise<{ detail: string }> {
  const { head, gates } = frozenOf(ship)
  // As they were before the tests of the change ran: those could have written the file.
  const settings = { ...readOperatorSettings(ship.home), review: frozenOf(ship).review }
  const provider = chosenProvider(settings)
  ship.scripted = provider.scripted
  const { bindings, files, diff } = await makeDiff(ship, context)
  const program = codexProgram(settings.review.codex, ship.env)
  credentialEnv(provider, ship.env, scratch) // before anything is started: without credentials nobody is asked
  await refuseUnreachable(provider, context.signal)
  const prompt = reviewPrompt(bindings, files, gates.changed, diff)
  writeWhole(join(ship.dir, proofFiles.review_prompt), prompt)
  note(ship, 'review_prompt')

  const cliVersion = await codexVersion(program, context, scratch)
  context.log(`asking ${settings.review.model} at ${provider.label} (${provider.base_url}) through ${cliVersion}${provider.scripted ? '; scripted (demo)' : ''}`)
  let answered
  try {
    answered = await withWorktree(ship.repo, head, (folder) => askCodex({
      program, provider, model: settings.review.model, prompt, folder, scratch, timeLimitSeconds: gates.review.timeout_seconds, env: ship.env,
    }, context), { signal: context.signal })
  } finally {
    note(ship, 'review_events')
  }
  const answer = parseAnswer(answered.text)
  writeJson(join(ship.dir, proofFiles.review_answer), answer)
  note(ship, 'review_answer')
  judgeAnswer(answer, bindings)

  const verdict: Verdict = {
    schema_version: 1, verdict_id: `verdict-${ship.runId}`, run_id: ship.runId, verdict: 'APPROVED', repository: gates.project,
    base_sha: bindings.base_sha, head_sha: bindings.head_sha, tree_sha: bindings.tree_sha, diff_sha256: bindings.diff_sha256,
    prompt_sha256: createHash('sha256').update(prompt).digest('hex'), nonce: bindings.nonce, files, findings: answer.findings, summary: answer.summary,
    gate_settings_changed: [...gates.changed],
    reviewer: { cli: 'codex', cli_version: cliVersion, model: settings.review.model, provider_id: provider.id, base_url: provider.base_url, scripted: provider.scripted },
    usage: answered.usage, created_at: new Date().toISOString(),
  }
  writeJson(join(ship.dir, proofFiles.verdict), verdict)
  note(ship, 'verdict')
  ship.verdict = verdict
  const notes = answer.findings.length === 0 ? '' : `, ${answer.findings.length} ${answer.findings.length === 1 ? 'note' : 'notes'}`
  return { detail: `approved by ${settings.review.model}${provider.scripted ? ', scripted (demo)' : ''}: ${files.length} ${files.length === 1 ? 'file' : 'files'}${notes}` }
}

/** The verdict of a ship that was pushed already: what the remote has, while its provider is still accepted. */
function takeOver(ship: Ship, { dir, result, verdict }: EarlierShip): { detail: string } {
  const accepted = acceptedProviders(readOperatorSettings(ship.home))
  const { provider_id, base_url, scripted } = verdict.reviewer
  if (!accepted.some((each) => each.id === provider_id && each.base_url === base_url)) throw new Problem('review_provider_refused', `The verdict on the remote is by ${provider_id} at ${base_url}, which the operator settings no longer accept.`)
  for (const name of Object.keys(proofFiles) as (keyof typeof proofFiles)[]) {
    if (name !== 'verdict' && existsSync(join(dir, proofFiles[name]))) copyFileSync(join(dir, proofFiles[name]), join(ship.dir, proofFiles[name]))
    note(ship, name)
  }
  writeJson(join(ship.dir, proofFiles.verdict), verdict)
  note(ship, 'verdict')
  ship.verdict = verdict
  ship.scripted = scripted
  return { detail: `approved in ${result.run_id} for this commit` }
}

/** Has the real Codex CLI review everything since the newest proven ancestor. Only a full, bound approval passes. */
export const reviewStep = (ship: Ship): Step<object> => ({
  name: 'review_auto',
  timeLimitSeconds: 2 * 3600,
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
