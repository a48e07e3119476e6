import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import type { projectConfig } from '#shared/config'
import { members } from '#ops/base/process/process-tree'
import { nodeProgram } from '#ops/base/process/program'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { verifyBundle } from '#ops/core/proof/verify-bundle'
import { until, type Shipped } from '../../../support/ship-repo.ts'
import { answerWith, approve } from '../../../support/responses-api.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'

let before: Record<string, string>
let head: string
const at = shipFixture({
  prepare: ({ sample }) => {
    before = sample.remoteRefs()
  },
})

type Suite = z.input<typeof projectConfig>['tests'][number]
const broken = 'export const add = (a, b) => a * b\n'
const right = 'export const add = (a, b) => b + a\n'
const breakIt = (): void => {
  head = at.sample.commit('Break it', { 'app.mjs': broken })
}
/** An implementer of the operator's own: a script in JavaScript, its folder the copy. */
const implementer = (script: string, more: object = {}): void => {
  const file = join(at.sample.home, 'implementer.mjs')
  writeFileSync(
    file,
    `import { appendFileSync, readFileSync, writeFileSync, rmSync } from 'node:fs'\n` +
      `import { execFileSync, spawn } from 'node:child_process'\n` +
      `const prompt = readFileSync(0, 'utf8')\n` +
      `${script}\n`,
  )
  at.sample.settings({}, { until_green: { argv: [nodeProgram(), file], ...more } })
}
const shipUntilGreen = (repairs: number, env: Record<string, string> = {}): Promise<Shipped> =>
  at.sample.ship(env, ['--until-green', String(repairs)])
const read = (shipped: Shipped, file: string): string =>
  readFileSync(join(shipped.dir, file), 'utf8')
/** Nothing of the operator's has moved, and nothing was pushed. */
const expectUntouched = (): void => {
  expect(at.sample.remoteRefs()).toEqual(before)
  expect(at.sample.git('rev-parse', 'main')).toBe(head)
  expect(at.sample.git('status', '--porcelain')).toBe('')
}

describe('until green', { timeout: 300_000 }, () => {
  it('has the real Codex CLI repair failing tests in a copy, and ships its commit through every gate', async () => {
    breakIt()
    let prompt = ''
    let authorization: string | null = null
    at.api.implement((turn, text) => {
      prompt = text
      // The second command leaves its folder; the sandbox of the CLI lets it not.
      return turn === 1
        ? {
            command:
              `cat app.mjs; printf '%s' '${right.trimEnd()}' > app.mjs; echo >> app.mjs; ` +
              `echo x > '${join(at.sample.repo, 'outside.txt')}'; echo canary-key-4711`,
          }
        : { text: 'Repaired.' }
    })
    at.api.script((bindings, request) => {
      authorization = request.authorization
      return approve(bindings, request)
    })
    const shipped = await shipUntilGreen(2)
    const { result, dir } = shipped
    expect(result).toMatchObject({
      overall: 'PASS',
      error_class: null,
      until_green: {
        bound: 2,
        start_sha: head,
        stopped: 'passed after 1 repair',
        protected_changes: [],
        kept_ref: null,
      },
    })
    expect(result.until_green?.attempts).toMatchObject([
      {
        number: 1,
        folder: 'attempts/1',
        git_head: head,
        error_class: 'tests_failed',
        step_failed: 'tests',
      },
      { number: 2, folder: '', git_head: result.git_head, overall: 'PASS' },
    ])
    expect(result.until_green?.repairs).toMatchObject([
      {
        number: 1,
        folder: 'repairs/1',
        commit: result.git_head,
        error_class: null,
        implementer: expect.stringContaining('codex') as string,
      },
    ])
    expect(result.steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'preflight passed',
      'tests passed',
      'review_auto passed',
      'fast_forward passed',
      'check_fail_closed_push passed',
      'review_finish passed',
    ])
    expect(authorization).toBe('Bearer canary-key-4711')

    // One commit on top of the operator's, on main, in the tree, and on the remote.
    expect(at.sample.git('rev-parse', 'main^')).toBe(head)
    expect(at.sample.remoteRefs()['refs/heads/main']).toBe(at.sample.git('rev-parse', 'main'))
    expect(readFileSync(join(at.sample.repo, 'app.mjs'), 'utf8')).toBe(right)
    expect(at.sample.git('status', '--porcelain')).toBe('')
    expect(existsSync(join(at.sample.repo, 'outside.txt'))).toBe(false)
    expect(at.sample.git('for-each-ref', 'refs/openclaw/repairs')).toBe('')

    // The evidence was data between two lines that nobody could foresee.
    const fence = /^(EVIDENCE-[0-9a-f]{32})$/m.exec(prompt)?.[1] ?? 'none'
    expect(prompt.split(`\n${fence}\n`)[1]).toContain('class: tests_failed')
    expect(prompt.split(`\n${fence}\n`)[1]).toContain('adds')

    for (const file of [
      'attempts/1/ship_result.json',
      'attempts/1/tests-unit.xml',
      'attempts/1/tests.log',
      'repairs/1/implementer_prompt.txt',
      'repairs/1/implementer.jsonl',
      'repairs/1/repair.patch',
      'repairs/1/repair.log',
      'verdict.json',
      'diff.patch',
    ])
      expect(read(shipped, file).length, file).toBeGreaterThan(0)
    expect(read(shipped, 'repairs/1/implementer.jsonl')).toContain('command_execution')
    for (const path of Object.values(result.artifacts))
      expect(existsSync(join(dir, path)), path).toBe(true)
    const key = readProofPublicKey(laptopProofPaths(at.sample.home, at.sample.repo))
    expect(
      await verifyBundle(dir, { keys: trustKeys(key === null ? [] : [key], 'the test') }),
    ).toMatchObject({ state: 'verified', problems: [] })
    for (const file of ['repairs/1/implementer.jsonl', 'repairs/1/repair.log', 'events.ndjson'])
      expect(read(shipped, file), file).not.toContain('canary-key-4711')
    expect(at.sample.leftovers(result.run_id)).toEqual([])
  })

  it('gives the findings of a refusal to the implementer, and has the repair reviewed', async () => {
    head = at.sample.commit('Second', { 'app.mjs': right })
    const finding = {
      severity: 'blocking',
      file: 'app.mjs',
      line: 1,
      title: 'No comment',
      body: 'Say why b comes first.',
    }
    at.api.script((bindings, request) =>
      request.prompt.includes('+// b first')
        ? approve(bindings, request)
        : answerWith({ verdict: 'CHANGES_REQUESTED', findings: [finding] })(bindings, request),
    )
    implementer(`if (!prompt.includes('Say why b comes first.')) process.exit(3)
appendFileSync('app.mjs', '// b first\\n')
execFileSync('git', ['commit', '--all', '--quiet', '-m', 'Its own words'])
writeFileSync('left.txt', 'not committed by the implementer\\n')
console.log(process.env.SECRET ?? 'no secret')`)
    const shipped = await shipUntilGreen(1, { SECRET: 'of the operator' })
    expect(shipped.result).toMatchObject({
      overall: 'PASS',
      until_green: { attempts: [{ error_class: 'review_blocked' }, { overall: 'PASS' }] },
    })
    // What it committed and what it left lying are one commit, by HQ.
    expect(at.sample.git('log', '--format=%an', '-1')).toBe('OpenClaw HQ')
    expect(at.sample.git('rev-parse', 'main^')).toBe(head)
    expect(at.sample.git('show', 'main:left.txt')).toBe('not committed by the implementer')
    expect(read(shipped, 'repairs/1/implementer_output.txt')).toBe('no secret\n')
    expect(JSON.parse(read(shipped, 'attempts/1/review_answer.json'))).toMatchObject({
      findings: [finding],
    })
  })

  it('lists a weakened test in the result and shows it to the reviewer, who decides', async () => {
    breakIt()
    implementer(
      `writeFileSync('app.test.mjs', "import { test } from 'node:test'\\ntest('adds', () => {})\\n")`,
    )
    let seen = ''
    at.api.script((bindings, request) => {
      seen = request.prompt
      return answerWith({ verdict: 'CHANGES_REQUESTED', summary: 'A test was weakened.' })(
        bindings,
        request,
      )
    })
    const { result } = await shipUntilGreen(1)
    expect(seen).toContain(
      'app.test.mjs: modified by an automatic repair, although it is protected',
    )
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'review_blocked',
      until_green: {
        protected_changes: [{ path: 'app.test.mjs', status: 'modified' }],
        stopped: 'repair 1 of 1 was the last',
      },
    })
    // Refused: the branch stays, the repair is kept by a ref of HQ's own.
    expectUntouched()
    expect(at.sample.git('rev-parse', result.until_green?.kept_ref ?? '')).toBe(result.git_head)
  })

  it('judges a repair by the gates of what it repairs when those of the base cannot be read', async () => {
    at.sample.write('openclaw.config.json', '{')
    at.sample.commit('A base that nobody can read')
    at.sample.git('push', '--quiet', 'origin', 'main')
    before = at.sample.remoteRefs()
    at.sample.config()
    breakIt()
    implementer(`const config = JSON.parse(readFileSync('openclaw.config.json', 'utf8'))
const report = '<testsuite><testcase name=\\"adds\\"/></testsuite>'
config.tests[0].argv = [process.execPath, '-e', "require('fs').writeFileSync('report.xml', '" + report + "')"]
config.protected_paths = []
writeFileSync('openclaw.config.json', JSON.stringify(config))
writeFileSync('app.test.mjs', readFileSync('app.test.mjs', 'utf8') + '// touched\\n')`)
    const { result } = await shipUntilGreen(1)
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'tests_failed',
      tests: [
        { name: 'unit', failed: 1 },
        { name: 'unit-repaired', failed: 0 },
      ],
    })
    expect(result.until_green?.protected_changes).toContainEqual({
      path: 'app.test.mjs',
      status: 'modified',
    })
    expectUntouched()
  })

  it('runs a suite that the change adds even when the repair removes it', async () => {
    const failing = {
      name: 'stricter',
      argv: [
        nodeProgram(),
        '-e',
        "require('fs').writeFileSync('strict.xml', '<testsuite><testcase " +
          'name="strict"><failure/></testcase></testsuite>\')',
      ],
      report: { format: 'junit', path: 'strict.xml' },
    } satisfies Suite
    const { tests } = JSON.parse(
      readFileSync(join(at.sample.repo, 'openclaw.config.json'), 'utf8'),
    ) as { tests: Suite[] }
    at.sample.config({ tests: [...tests, failing] })
    head = at.sample.commit('A stricter suite')
    implementer(`const config = JSON.parse(readFileSync('openclaw.config.json', 'utf8'))
config.tests.pop()
writeFileSync('note.txt', 'Without the stricter suite.')
writeFileSync('openclaw.config.json', JSON.stringify(config, null, 2))`)
    const { result } = await shipUntilGreen(1)
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'tests_failed',
      tests: [
        { name: 'unit', failed: 0 },
        { name: 'stricter', failed: 1 },
      ],
    })
    expectUntouched()
  })

  it('keeps secrets of the implementer and of tests out of prompt and proof in every spelling', async () => {
    const [secret, own] = ['given-to-the-implementer-4712', 'of-this-machine-4713']
    at.sample.commit('Break it', {
      'app.mjs': broken,
      'app.test.mjs':
        `import assert from 'node:assert/strict'\n` +
        `import { test } from 'node:test'\n` +
        `import { readFileSync } from 'node:fs'\n` +
        `test('adds', () => ` +
        `assert.fail(Buffer.from(readFileSync(${JSON.stringify(join(at.sample.home, 'own.txt'))}, ` +
        `'utf8')).toString('hex')))\n`,
    })
    head = at.sample.git('rev-parse', 'HEAD')
    writeFileSync(join(at.sample.home, 'own.txt'), own)
    implementer(
      `console.log(Buffer.from(process.env.IMPLEMENTER_ACCESS).toString('base64'))
console.error(Buffer.from(process.env.IMPLEMENTER_ACCESS).toString('hex'))
console.error(process.env.IMPLEMENTER_ACCESS)
writeFileSync(${JSON.stringify(join(at.sample.home, 'prompt.txt'))}, prompt)
process.exit(4)`,
      { env: ['IMPLEMENTER_ACCESS'] },
    )
    const shipped = await shipUntilGreen(1, { IMPLEMENTER_ACCESS: secret, SOME_TOKEN: own })
    expect(shipped.result.until_green?.repairs).toHaveLength(1)
    expect(readFileSync(join(at.sample.home, 'prompt.txt'), 'utf8')).not.toContain(
      Buffer.from(own).toString('hex'),
    )
    const forms = [secret, own].flatMap((each) => [
      each,
      ...(['hex', 'base64'] as const).map((as) => Buffer.from(each).toString(as)),
    ])
    for (const path of readdirSync(shipped.dir, { recursive: true, encoding: 'utf8' })) {
      if (!statSync(join(shipped.dir, path)).isFile()) continue
      for (const form of forms)
        expect(
          readFileSync(join(shipped.dir, path), 'utf8').includes(form),
          `${form} in ${path}`,
        ).toBe(false)
    }
  })

  it('shows the implementer the end of a log, however long it is', async () => {
    const { tests } = JSON.parse(
      readFileSync(join(at.sample.repo, 'openclaw.config.json'), 'utf8'),
    ) as { tests: Suite[] }
    at.sample.config({
      tests: tests.map((suite) => ({
        ...suite,
        name: 'wordy',
        prepare: [
          nodeProgram(),
          '-e',
          "for (let n = 0; n < 5000; n += 1) console.log('so it goes '.repeat(100))",
        ],
      })),
    })
    breakIt()
    implementer(`writeFileSync(${JSON.stringify(join(at.sample.home, 'prompt.txt'))}, prompt)`)
    await shipUntilGreen(1)
    expect(
      readFileSync(join(at.sample.home, 'prompt.txt'), 'utf8').split('end of the log:')[1],
    ).toContain('tests_failed: ')
  })

  it('stops at the same failure, at a repair without a change, and at any other class', async () => {
    breakIt()
    implementer(`appendFileSync('notes.txt', 'still thinking\\n')`)
    expect((await shipUntilGreen(5)).result).toMatchObject({
      error_class: 'tests_failed',
      until_green: { stopped: 'the same failure again', attempts: [{}, {}], repairs: [{}] },
    })
    expectUntouched()
    implementer('')
    const idle = await shipUntilGreen(5)
    expect(idle.result).toMatchObject({
      error_class: 'tests_failed',
      step_failed: 'tests',
      git_head: head,
      until_green: {
        stopped: 'repair 1 made no commit: repair_without_change',
        attempts: [{}],
        repairs: [{ error_class: 'repair_without_change', commit: null }],
      },
    })
    expect(idle.result.steps.at(-1)).toMatchObject({
      name: 'repair',
      status: 'failed',
      log: 'repairs/1/repair.log',
    })
    expect(existsSync(join(idle.dir, 'repairs/1/repair.log'))).toBe(true)
    expectUntouched()
    writeFileSync(join(at.sample.repo, 'dirty.txt'), 'x')
    expect((await shipUntilGreen(5)).result).toMatchObject({
      error_class: 'dirty_tree',
      until_green: { stopped: 'dirty_tree is not repaired', repairs: [] },
    })
  })

  it('ends an implementer that takes too long, fails, or leaves processes behind', async () => {
    breakIt()
    implementer(
      `console.log('begun'); spawn('setsid', ['sleep', '600'], { stdio: 'ignore' }).unref(); ` +
        'setInterval(() => {}, 1000)',
      { timeout_seconds: 12 },
    )
    const late = await shipUntilGreen(2)
    expect(late.result.until_green).toMatchObject({
      stopped: 'repair 1 made no commit: implementer_timeout',
      repairs: [{ error_class: 'implementer_timeout' }],
    })
    expect(read(late, 'repairs/1/implementer_output.txt')).toBe('begun\n')
    expect(at.sample.leftovers(late.result.run_id)).toEqual([])
    implementer(`writeFileSync('app.mjs', ''); console.error('out of ideas'); process.exit(7)`)
    const failed = await shipUntilGreen(2)
    expect(failed.result.until_green?.repairs[0]).toMatchObject({
      error_class: 'implementer_failed',
      detail: expect.stringContaining('ended with 7: out of ideas') as string,
    })
    expectUntouched()
  })

  it('makes no commit of a folder that an implementer removed, made a link, or overfilled', async () => {
    breakIt()
    const cases = [
      ['rmSync(process.cwd(), { recursive: true })', 'removed the folder'],
      [
        'const at = process.cwd(); rmSync(at, { recursive: true }); ' +
          `execFileSync('ln', ['-s', ${JSON.stringify(at.sample.home)}, at], { cwd: '/' })`,
        'removed the folder',
      ],
      ["execFileSync('truncate', ['--size=300M', 'large.bin'])", 'bytes of changed files'],
    ] as const
    for (const [script, why] of cases) {
      implementer(`writeFileSync('app.mjs', ${JSON.stringify(right)})\n${script}`)
      const { result } = await shipUntilGreen(1)
      expect(result).toMatchObject({
        overall: 'FAIL',
        until_green: {
          stopped: 'repair 1 made no commit: implementer_failed',
          repairs: [{ commit: null, detail: expect.stringContaining(why) as string }],
        },
      })
      expectUntouched()
    }
  })

  it('pushes nothing when an implementer writes into the repository of the operator, whose work stays', async () => {
    breakIt()
    implementer(
      `writeFileSync('app.mjs', ${JSON.stringify(right)}); ` +
        `writeFileSync(${JSON.stringify(join(at.sample.repo, 'app.mjs'))}, 'meddled\\n')`,
    )
    const meddled = await shipUntilGreen(2)
    expect(meddled.result).toMatchObject({
      overall: 'FAIL',
      error_class: 'dirty_tree',
      step_failed: 'preflight',
      pushed_sha: null,
    })
    expect(readFileSync(join(at.sample.repo, 'app.mjs'), 'utf8')).toBe('meddled\n')
    expect([at.sample.remoteRefs(), at.sample.git('rev-parse', 'main')]).toEqual([before, head])
    at.sample.git('checkout', '--quiet', '--', 'app.mjs')

    implementer(
      `writeFileSync('app.mjs', ${JSON.stringify(right)}); ` +
        `execFileSync('git', ['-C', ${JSON.stringify(at.sample.repo)}, 'config', 'remote.origin.pushurl', ` +
        `'/elsewhere'])`,
    )
    expect((await shipUntilGreen(2)).result).toMatchObject({
      overall: 'FAIL',
      error_class: 'remote_moved',
      step_failed: 'preflight',
      pushed_sha: null,
    })
    at.sample.git('config', '--unset', 'remote.origin.pushurl')
    expectUntouched()
  })

  it('does not move the branch over work of the operator, or over a file that git ignores', async () => {
    breakIt()
    at.sample.write('report.xml', 'precious and ignored\n')
    implementer(
      `writeFileSync('app.mjs', ${JSON.stringify(right)}); writeFileSync('.gitignore', ''); ` +
        `writeFileSync('report.xml', 'of the repair\\n')`,
    )
    const { result } = await shipUntilGreen(1)
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'fast_forward_refused',
      step_failed: 'fast_forward',
      pushed_sha: null,
    })
    expect(readFileSync(join(at.sample.repo, 'report.xml'), 'utf8')).toBe('precious and ignored\n')
    expectUntouched()

    // Somebody commits while the reviewer thinks.
    implementer(`writeFileSync('app.mjs', ${JSON.stringify(right)})`)
    let meanwhile = ''
    at.api.script((bindings, request) => {
      meanwhile = at.sample.commit('Meanwhile', { 'mine.txt': 'x\n' })
      return approve(bindings, request)
    })
    expect((await shipUntilGreen(1)).result).toMatchObject({
      overall: 'FAIL',
      error_class: 'head_moved',
      step_failed: 'fast_forward',
      pushed_sha: null,
    })
    expect([at.sample.git('rev-parse', 'main'), at.sample.remoteRefs()]).toEqual([
      meanwhile,
      before,
    ])
  })

  it('leaves nothing half-done when it is killed or cancelled in a repair', async () => {
    breakIt()
    const works = join(at.sample.home, 'works')
    implementer(`writeFileSync(${JSON.stringify(works)}, ''); setInterval(() => {}, 1000)`)
    const running = at.sample.start({}, ['--until-green', '1'])
    await until('the implementer works', () => existsSync(works))
    rmSync(works)
    running.child.kill('SIGKILL')
    await until('it is gone', () => running.child.signalCode !== null)
    expectUntouched()
    expect(members({ marker: `OPENCLAW_RUN_ID=${running.runId}` }).length).toBeGreaterThan(0)
    const next = at.sample.start({}, ['--until-green', '1'])
    await until('the implementer works again', () => existsSync(works))
    expect(
      at.sample
        .leftovers(running.runId)
        .filter((each) => each.includes(running.runId) || each.startsWith('process')),
    ).toEqual([])
    next.child.kill('SIGTERM')
    const { result } = await next.end()
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'cancelled',
      step_failed: 'repair',
      next_auto_fix: 'start_again',
    })
    expect(at.sample.leftovers(result.run_id)).toEqual([])
    implementer(`writeFileSync('app.mjs', ${JSON.stringify(right)})`)
    expect((await shipUntilGreen(1)).result.overall).toBe('PASS')
  })
})
