import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { signingKeyFromPem } from '#ops/core/trust/signing-key'
import { installRoot, nodeProgram, programArgv } from '#ops/base/process/program'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import { reviewRef } from '#shared/verdict'
import { until, type Shipped, type ShipRepo } from '../../../support/ship-repo.ts'
import { answerWith, approve, startResponsesApi } from '../../../support/responses-api.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'

const at = shipFixture({
  prepare: ({ sample }) =>
    sample.commit('Second', { 'app.mjs': 'export const add = (a, b) => b + a\n' }),
})

const provider = () => ({
  id: 'loopback',
  label: 'Loopback',
  base_url: at.api.base_url,
  env_key: 'REVIEW_KEY',
  scripted: true,
})
/** The remote takes no branch, so that the same commit is shipped again and again. */
const refusePushes = (): void =>
  writeFileSync(
    join(at.sample.origin, 'hooks', 'pre-receive'),
    '#!/bin/sh\n! grep -q refs/heads/\n',
    {
      mode: 0o755,
    },
  )
const ship = async (): Promise<{ shipped: Shipped; asked: number }> => {
  const before = at.api.calls()
  const shipped = await at.sample.ship()
  return { shipped, asked: at.api.calls() - before }
}
const reviewDetail = ({ result }: Shipped): string | null | undefined =>
  result.steps.find(({ name }) => name === 'review_auto')?.detail

describe('an approval of exactly the same request', { timeout: 300_000 }, () => {
  it('is used again, is reported as such, and is pushed as it was signed', async () => {
    refusePushes()
    const first = await ship()
    expect(first).toMatchObject({ asked: 1, shipped: { result: { error_class: 'push_rejected' } } })
    expect(first.shipped.result.review_reused).toBeUndefined()
    rmSync(join(at.sample.origin, 'hooks', 'pre-receive'))
    const {
      shipped: { result, dir },
      asked,
    } = await ship()
    expect(asked).toBe(0)
    expect(result).toMatchObject({
      overall: 'PASS',
      verdict_id: first.shipped.result.verdict_id,
      review_reused: {
        run_id: first.shipped.result.run_id,
        verdict_id: first.shipped.result.verdict_id,
        age_minutes: expect.any(Number) as number,
      },
    })
    expect(result.steps.find(({ name }) => name === 'review_auto')?.detail).toMatch(
      new RegExp(`re-used from run ${first.shipped.result.run_id}, \\d+ minutes? old`),
    )
    const text = readFileSync(join(first.shipped.dir, 'verdict.json'), 'utf8')
    expect(readFileSync(join(dir, 'verdict.json'), 'utf8')).toBe(text)
    expect(
      at.sample.git(
        '--git-dir',
        at.sample.origin,
        'cat-file',
        'blob',
        reviewRef(result.git_head ?? ''),
      ),
    ).toBe(text.trimEnd())
    for (const file of ['review_prompt.txt', 'review.jsonl', 'review_answer.json'])
      expect(readFileSync(join(dir, file), 'utf8'), file).toBe(
        readFileSync(join(first.shipped.dir, file), 'utf8'),
      )
  })

  it('is not used after a later refusal of the commit, and a refusal is never used', async () => {
    refusePushes()
    await ship()
    at.sample.settings({ reuse_approved_hours: 0 })
    at.api.script(answerWith({ verdict: 'CHANGES_REQUESTED', summary: 'No.' }))
    expect(await ship()).toMatchObject({
      asked: 1,
      shipped: { result: { error_class: 'review_blocked' } },
    })
    at.sample.settings({})
    const third = await ship()
    expect(third).toMatchObject({
      asked: 1,
      shipped: { result: { error_class: 'review_blocked' } },
    })
    expect(readFileSync(join(third.shipped.dir, 'review_auto.log'), 'utf8')).toContain(
      'was refused by its reviewer',
    )
  })

  it('is not used after a refusal in a ship that was then repaired, cancelled or killed', async () => {
    refusePushes()
    const first = await ship()
    const implementer = join(at.sample.home, 'implementer.mjs')
    const refuse = async (
      script: string,
      meanwhile: (running: ReturnType<ShipRepo['start']>) => Promise<void> = async () => undefined,
    ): Promise<Shipped> => {
      writeFileSync(implementer, `import { appendFileSync } from 'node:fs'\n${script}\n`)
      at.sample.settings(
        { reuse_approved_hours: 0 },
        { until_green: { argv: [nodeProgram(), implementer] } },
      )
      at.api.script((bindings, request) =>
        request.prompt.includes('+// b first')
          ? approve(bindings, request)
          : answerWith({ verdict: 'CHANGES_REQUESTED', summary: 'No.' })(bindings, request),
      )
      const running = at.sample.start({}, ['--until-green', '1'])
      await meanwhile(running)
      const refused = await running.end()
      at.sample.settings({})
      return refused
    }
    const expectAsked = async (): Promise<void> => {
      const again = await ship()
      expect(again).toMatchObject({
        asked: 1,
        shipped: { result: { error_class: 'review_blocked' } },
      })
      rmSync(again.shipped.dir, { recursive: true })
    }
    // Its repair was approved, and not pushed: the last attempt is about another commit.
    const repaired = await refuse("appendFileSync('app.mjs', '// b first\\n')")
    expect(repaired.result).toMatchObject({
      error_class: 'push_rejected',
      until_green: { attempts: [{ error_class: 'review_blocked' }, {}] },
    })
    at.sample.git('reset', '--hard', '--quiet', first.shipped.result.git_head ?? '')
    await expectAsked()
    // It was killed before it had a result.
    rmSync(join(repaired.dir, 'ship_result.json'))
    await expectAsked()
    rmSync(repaired.dir, { recursive: true })
    // It was cancelled while its repair was made, which is what its result says.
    const begun = join(at.sample.home, 'begun')
    const cancelled = await refuse(
      `import { writeFileSync } from 'node:fs'\n` +
        `writeFileSync(${JSON.stringify(begun)}, '')\n` +
        'setInterval(() => {}, 1000)',
      async (running) => {
        await until('the repair to begin', () => existsSync(begun))
        running.child.kill('SIGTERM')
      },
    )
    expect(cancelled.result).toMatchObject({
      error_class: 'cancelled',
      git_head: first.shipped.result.git_head,
    })
    await expectAsked()
    rmSync(cancelled.dir, { recursive: true })
    // Without all that, the approval stands.
    at.api.script(approve)
    expect((await ship()).asked).toBe(0)
  })

  it('is not used when anything that it was bound to has changed', async () => {
    refusePushes()
    const first = await ship()
    const other = await startResponsesApi()
    const cli = join(at.sample.home, 'codex-of-another-version')
    writeFileSync(
      cli,
      `#!/bin/sh\n` +
        `if [ "$1" = --version ]; then echo "codex-cli 0.0.1"; ` +
        `else exec "${join(installRoot(), 'node_modules', '.bin', 'codex')}" "$@"; fi\n`,
    )
    chmodSync(cli, 0o755)
    const verdict = join(first.shipped.dir, 'verdict.json')
    const text = readFileSync(verdict, 'utf8')
    const { keyFile } = laptopProofPaths(at.sample.home, at.sample.repo)
    const key = readFileSync(keyFile)
    const back = (): void => {
      at.sample.settings({})
      writeFileSync(verdict, text)
      writeFileSync(keyFile, key)
      at.sample.git('remote', 'set-url', 'origin', at.sample.origin)
    }
    const changes: readonly (readonly [string, () => void, string])[] = [
      ['age', () => at.sample.settings({ reuse_approved_hours: 0.000_001 }), 'minutes old'],
      ['never', () => at.sample.settings({ reuse_approved_hours: 0 }), ''],
      ['model', () => at.sample.settings({ model: 'another-model' }), 'model'],
      [
        'accepted providers',
        () => at.sample.settings({ providers: [provider(), { ...provider(), id: 'second' }] }),
        'accepted_providers',
      ],
      [
        'provider',
        () =>
          at.sample.settings({
            provider: 'renamed',
            providers: [{ ...provider(), id: 'renamed' }],
          }),
        'provider',
      ],
      ['program', () => at.sample.settings({ codex: cli }), 'cli, cli_version'],
      [
        'where origin leads',
        () => {
          at.sample.git('remote', 'set-url', 'origin', `file://${at.sample.origin}`)
        },
        'way_sha256',
      ],
      [
        'a byte of the proof',
        () => writeFileSync(verdict, text.replace('"summary": "', '"summary": "x')),
        'its proof is broken',
      ],
      [
        'key',
        () => {
          rmSync(keyFile)
        },
        'its proof is',
      ],
    ]
    for (const [what, change, why] of changes) {
      change()
      const { shipped, asked } = await ship()
      expect([what, asked, shipped.result.review_reused]).toEqual([what, 1, undefined])
      expect(readFileSync(join(shipped.dir, 'review_auto.log'), 'utf8'), what).toContain(why)
      // What that review approved is no part of the next case.
      rmSync(shipped.dir, { recursive: true })
      back()
    }
    at.sample.settings({ providers: [{ ...provider(), base_url: other.base_url }] })
    const elsewhere = await ship()
    expect([elsewhere.asked, other.calls()]).toEqual([0, 1])
    rmSync(elsewhere.shipped.dir, { recursive: true })
    await other.close()
    back()
    // And with everything as it was, it stands.
    const last = await ship()
    expect([last.asked, reviewDetail(last.shipped)]).toEqual([
      0,
      expect.stringContaining(first.shipped.result.run_id),
    ])
  }, 900_000)

  it('does not become younger, nor a refusal older, when the clock is set back', async () => {
    refusePushes()
    const {
      shipped: {
        dir,
        result: { run_id: runId },
      },
    } = await ship()
    const log = (shipped: Shipped): string =>
      readFileSync(join(shipped.dir, 'review_auto.log'), 'utf8')
    const { keyFile, chainFile } = laptopProofPaths(at.sample.home, at.sample.repo)
    const asked = (): { boot_id: string; uptime_seconds: number } =>
      (
        JSON.parse(readFileSync(join(dir, 'review_bindings.json'), 'utf8')) as {
          asked: { boot_id: string; uptime_seconds: number }
        }
      ).asked
    /** Makes the proof say that the question was asked otherwise, and seals it again with the key of this laptop. */
    const askedAt = async (change: Partial<ReturnType<typeof asked>>): Promise<void> => {
      const path = join(dir, 'review_bindings.json')
      writeFileSync(
        path,
        JSON.stringify({
          ...(JSON.parse(readFileSync(path, 'utf8')) as object),
          asked: { ...asked(), ...change },
        }),
      )
      rmSync(join(dir, 'manifest.json'))
      rmSync(chainFile, { force: true })
      await sealBundle({
        dir,
        kind: 'ship',
        runId,
        chainFile,
        key: signingKeyFromPem(readFileSync(keyFile, 'utf8'), keyFile),
        gitHead: at.sample.git('rev-parse', 'HEAD'),
        gitTree: null,
      })
    }
    const again = async (): Promise<{ asked: number; log: string }> => {
      const { shipped, asked: count } = await ship()
      const said = log(shipped)
      rmSync(shipped.dir, { recursive: true })
      return { asked: count, log: said }
    }
    const original = asked()
    await askedAt(original)
    expect((await again()).asked).toBe(0)
    // Its date is of a minute ago; the machine has been up for a day since.
    await askedAt({ uptime_seconds: original.uptime_seconds - 25 * 3600 })
    expect(await again()).toMatchObject({
      asked: 1,
      log: expect.stringMatching(/15\d\d minutes old/) as string,
    })
    // In another boot nothing but dates says how old it is, and one of them has not come yet.
    await askedAt({ boot_id: 'another', uptime_seconds: 0 })
    expect((await again()).asked).toBe(0)
    const future = join(dir, '..', '20990101T000000Z-00000000')
    mkdirSync(future)
    expect(await again()).toMatchObject({
      asked: 1,
      log: expect.stringContaining('the clock was set back') as string,
    })
    rmSync(future, { recursive: true })
    // A refusal that came later, under an earlier date.
    await askedAt(original)
    at.sample.settings({ reuse_approved_hours: 0 })
    at.api.script(answerWith({ verdict: 'CHANGES_REQUESTED', summary: 'No.' }))
    const early = '20200101T000000Z-00000000'
    const [program, ...args] = programArgv('hq', [
      'ship',
      '--repo',
      at.sample.repo,
      '--run-id',
      early,
    ])
    expect(
      (await once(spawn(program, args, { env: at.sample.env, stdio: 'ignore' }), 'close'))[0],
    ).not.toBe(0)
    at.sample.settings({})
    at.api.script(approve)
    expect(await again()).toMatchObject({
      asked: 1,
      log: expect.stringContaining(`${early} was refused by its reviewer`) as string,
    })
  })

  it('is for one commit: the same files in another one, or under other gates, get a new review', async () => {
    refusePushes()
    await ship()
    at.sample.git('commit', '--amend', '--quiet', '-m', 'Second, in other words')
    expect((await ship()).asked).toBe(1)
    at.sample.config({ review: { max_diff_bytes: 100_000 } })
    at.sample.commit('Other gates')
    expect((await ship()).asked).toBe(1)
  })
})
