import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { codexProgram } from '#ops/features/ship/review/codex-program'
import { knowCodex } from '#ops/features/ship/review/codex-start'
import { credentialEnv } from '#ops/features/ship/review/codex-provider'
import { runCodex } from '#ops/features/ship/review/codex-run'
import { bindingsMark } from '#ops/features/ship/review/review-prompt'
import { shipFixture } from '../../../../support/ship-fixture.ts'
import { expectRefusal, problemFrom, stepContext } from '../../../../support/step-context.ts'

const at = shipFixture({ repositoryPer: 'file' })
const unavailable = { error_class: 'review_unavailable', fix: 'connect_codex', exit: 2 } as const
const provider = (change: object = {}) => ({
  id: 'loopback',
  label: 'Loopback',
  base_url: at.api.base_url,
  env_key: 'REVIEW_KEY' as string | null,
  scripted: true,
  ...change,
})

/** One case of each class goes through the whole command line in ship-stops-at-review.test.ts. */
describe('running Codex', () => {
  it('reports status 500 of the provider as a failed review, and keeps the events', async () => {
    at.api.script(() => ({ status: 500 }))
    const scratch = join(at.sample.temp, 'scratch')
    mkdirSync(scratch)
    const events = join(at.sample.temp, 'review.jsonl')
    const bindings = { base_sha: '', head_sha: '', tree_sha: '', diff_sha256: '', nonce: '' }
    const context = stepContext(at.sample.temp)
    const program = await knowCodex(codexProgram(null, at.sample.repo), context, scratch)
    const problem = await problemFrom(() =>
      runCodex(
        {
          program,
          provider: provider(),
          model: 'test-model',
          prompt: `${bindingsMark}${JSON.stringify({ ...bindings, files: [] })}\n`,
          folder: at.sample.repo,
          scratch,
          events,
          timeLimitSeconds: 120,
          env: at.sample.env,
        },
        context,
      ),
    )
    expectRefusal(problem, { ...unavailable, detail: 'ended with 1' })
    expect(readFileSync(events, 'utf8')).toContain('turn.failed')
    expect(at.api.calls()).toBeGreaterThan(0)
  })

  it('refuses a program that does not start', async () => {
    const broken = join(at.sample.temp, 'broken-codex')
    writeFileSync(broken, '#!/bin/sh\nexit 1\n')
    chmodSync(broken, 0o755)
    const problem = await problemFrom(() =>
      knowCodex(codexProgram(broken, at.sample.repo), stepContext(at.sample.temp), at.sample.temp),
    )
    expectRefusal(problem, { ...unavailable, detail: 'does not start' })
  })

  it('refuses a provider that takes the sign-in of Codex when there is none', async () => {
    const calls = at.api.calls()
    const openai = provider({ id: 'openai', env_key: null, scripted: false })
    const problem = await problemFrom(() => credentialEnv(openai, at.sample.env, at.sample.temp))
    expectRefusal(problem, { ...unavailable, detail: 'no credentials' })
    expect(at.api.calls()).toBe(calls)
  })

  it.each([
    ['a pipe', 'mkfifo "$answer"'],
    ['a pipe behind a link', 'mkfifo "$answer.pipe"; ln -s "$answer.pipe" "$answer"'],
    ['a link to a device', 'ln -s /dev/zero "$answer"'],
    ['a folder', 'mkdir "$answer"'],
    ['a file of 5 GB', 'truncate -s 5G "$answer"'],
  ])('H5 refuses %s as the answer, without waiting', async (what, make) => {
    const temp = join(at.sample.temp, what.replaceAll(' ', '-'))
    mkdirSync(temp)
    const script = join(temp, 'codex')
    const done = '{"type":"turn.completed","usage":{"input_tokens":1,"output_tokens":1}}'
    writeFileSync(
      script,
      `#!/bin/sh\nfor arg; do [ "$last" = -o ] && answer=$arg; last=$arg; done\n` +
        `[ -z "$answer" ] && exec echo 1.0\ncat >/dev/null; ${make}; echo '${done}'\n`,
    )
    chmodSync(script, 0o755)
    const context = stepContext(temp)
    const request = {
      program: await knowCodex(codexProgram(script, at.sample.repo), context, temp),
      provider: provider(),
      model: 'test-model',
      prompt: 'x',
      folder: at.sample.repo,
      scratch: temp,
      events: join(temp, 'review.jsonl'),
      timeLimitSeconds: 60,
      env: at.sample.env,
    }
    const problem = await problemFrom(() => runCodex(request, context))
    expectRefusal(problem, {
      error_class: 'review_invalid',
      fix: 'ship_again',
      exit: 2,
      detail: 'not a regular file of at most',
    })
  })
})
