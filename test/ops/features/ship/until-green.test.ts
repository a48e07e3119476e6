import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { z } from 'zod'
import type { projectConfig } from '#shared/config'
import { nodeProgram } from '#ops/base/process/program'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { verifyBundle } from '#ops/core/proof/verify-bundle'
import { answerWith, approve } from '../../../support/responses-api.ts'
import { broken, read, right, UntilGreen } from '../../../support/until-green.ts'

const green = new UntilGreen()

type Suite = z.input<typeof projectConfig>['tests'][number]
describe('until green', { timeout: 300_000 }, () => {
  it('has the real Codex CLI repair failing tests in a copy, and ships its commit through every gate', async () => {
    green.breakIt()
    let prompt = ''
    let authorization: string | null = null
    green.at.api.implement((turn, text) => {
      prompt = text
      // The second command leaves its folder; the sandbox of the CLI lets it not.
      return turn === 1
        ? {
            command:
              `cat app.mjs; printf '%s' '${right.trimEnd()}' > app.mjs; echo >> app.mjs; ` +
              `echo x > '${join(green.at.sample.repo, 'outside.txt')}'; echo canary-key-4711`,
          }
        : { text: 'Repaired.' }
    })
    green.at.api.script((bindings, request) => {
      authorization = request.authorization
      return approve(bindings, request)
    })
    const shipped = await green.ship(2)
    const { result, dir } = shipped
    expect(result).toMatchObject({
      overall: 'PASS',
      error_class: null,
      until_green: {
        bound: 2,
        start_sha: green.head,
        stopped: 'passed after 1 repair',
        protected_changes: [],
        kept_ref: null,
      },
    })
    expect(result.until_green?.attempts).toMatchObject([
      {
        number: 1,
        folder: 'attempts/1',
        git_head: green.head,
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
    expect(green.at.sample.git('rev-parse', 'main^')).toBe(green.head)
    expect(green.at.sample.remoteRefs()['refs/heads/main']).toBe(
      green.at.sample.git('rev-parse', 'main'),
    )
    expect(readFileSync(join(green.at.sample.repo, 'app.mjs'), 'utf8')).toBe(right)
    expect(green.at.sample.git('status', '--porcelain')).toBe('')
    expect(existsSync(join(green.at.sample.repo, 'outside.txt'))).toBe(false)
    expect(green.at.sample.git('for-each-ref', 'refs/openclaw/repairs')).toBe('')

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
    const key = readProofPublicKey(laptopProofPaths(green.at.sample.home, green.at.sample.repo))
    expect(
      await verifyBundle(dir, { keys: trustKeys(key === null ? [] : [key], 'the test') }),
    ).toMatchObject({ state: 'verified', problems: [] })
    for (const file of ['repairs/1/implementer.jsonl', 'repairs/1/repair.log', 'events.ndjson'])
      expect(read(shipped, file), file).not.toContain('canary-key-4711')
    expect(green.at.sample.leftovers(result.run_id)).toEqual([])
  })

  it('gives the findings of a refusal to the implementer, and has the repair reviewed', async () => {
    green.head = green.at.sample.commit('Second', { 'app.mjs': right })
    const finding = {
      severity: 'blocking',
      file: 'app.mjs',
      line: 1,
      title: 'No comment',
      body: 'Say why b comes first.',
    }
    green.at.api.script((bindings, request) =>
      request.prompt.includes('+// b first')
        ? approve(bindings, request)
        : answerWith({ verdict: 'CHANGES_REQUESTED', findings: [finding] })(bindings, request),
    )
    green.implementer(`if (!prompt.includes('Say why b comes first.')) process.exit(3)
appendFileSync('app.mjs', '// b first\\n')
execFileSync('git', ['commit', '--all', '--quiet', '-m', 'Its own words'])
writeFileSync('left.txt', 'not committed by the implementer\\n')
console.log(process.env.SECRET ?? 'no secret')`)
    const shipped = await green.ship(1, { SECRET: 'of the operator' })
    expect(shipped.result).toMatchObject({
      overall: 'PASS',
      until_green: { attempts: [{ error_class: 'review_blocked' }, { overall: 'PASS' }] },
    })
    // What it committed and what it left lying are one commit, by HQ.
    expect(green.at.sample.git('log', '--format=%an', '-1')).toBe('OpenClaw HQ')
    expect(green.at.sample.git('rev-parse', 'main^')).toBe(green.head)
    expect(green.at.sample.git('show', 'main:left.txt')).toBe('not committed by the implementer')
    expect(read(shipped, 'repairs/1/implementer_output.txt')).toBe('no secret\n')
    expect(JSON.parse(read(shipped, 'attempts/1/review_answer.json'))).toMatchObject({
      findings: [finding],
    })
  })

  it('lists a weakened test in the result and shows it to the reviewer, who decides', async () => {
    green.breakIt()
    green.implementer(
      `writeFileSync('app.test.mjs', "import { test } from 'node:test'\\ntest('adds', () => {})\\n")`,
    )
    let seen = ''
    green.at.api.script((bindings, request) => {
      seen = request.prompt
      return answerWith({ verdict: 'CHANGES_REQUESTED', summary: 'A test was weakened.' })(
        bindings,
        request,
      )
    })
    const { result } = await green.ship(1)
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
    green.expectUntouched()
    expect(green.at.sample.git('rev-parse', result.until_green?.kept_ref ?? '')).toBe(
      result.git_head,
    )
  })

  it('judges a repair by the gates of what it repairs when those of the base cannot be read', async () => {
    green.at.sample.write('openclaw.config.json', '{')
    green.at.sample.commit('A base that nobody can read')
    green.at.sample.git('push', '--quiet', 'origin', 'main')
    green.before = green.at.sample.remoteRefs()
    green.at.sample.config()
    green.breakIt()
    green.implementer(`const config = JSON.parse(readFileSync('openclaw.config.json', 'utf8'))
const report = '<testsuite><testcase name=\\"adds\\"/></testsuite>'
config.tests[0].argv = [process.execPath, '-e', "require('fs').writeFileSync('report.xml', '" + report + "')"]
config.protected_paths = []
writeFileSync('openclaw.config.json', JSON.stringify(config))
writeFileSync('app.test.mjs', readFileSync('app.test.mjs', 'utf8') + '// touched\\n')`)
    const { result } = await green.ship(1)
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
    green.expectUntouched()
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
      readFileSync(join(green.at.sample.repo, 'openclaw.config.json'), 'utf8'),
    ) as { tests: Suite[] }
    green.at.sample.config({ tests: [...tests, failing] })
    green.head = green.at.sample.commit('A stricter suite')
    green.implementer(`const config = JSON.parse(readFileSync('openclaw.config.json', 'utf8'))
config.tests.pop()
writeFileSync('note.txt', 'Without the stricter suite.')
writeFileSync('openclaw.config.json', JSON.stringify(config, null, 2))`)
    const { result } = await green.ship(1)
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'tests_failed',
      tests: [
        { name: 'unit', failed: 0 },
        { name: 'stricter', failed: 1 },
      ],
    })
    green.expectUntouched()
  })

  it('keeps secrets of the implementer and of tests out of prompt and proof in every spelling', async () => {
    const [secret, own] = ['given-to-the-implementer-4712', 'of-this-machine-4713']
    green.at.sample.commit('Break it', {
      'app.mjs': broken,
      'app.test.mjs':
        `import assert from 'node:assert/strict'\n` +
        `import { test } from 'node:test'\n` +
        `import { readFileSync } from 'node:fs'\n` +
        `test('adds', () => ` +
        `assert.fail(Buffer.from(readFileSync(${JSON.stringify(join(green.at.sample.home, 'own.txt'))}, ` +
        `'utf8')).toString('hex')))\n`,
    })
    green.head = green.at.sample.git('rev-parse', 'HEAD')
    writeFileSync(join(green.at.sample.home, 'own.txt'), own)
    green.implementer(
      `console.log(Buffer.from(process.env.IMPLEMENTER_ACCESS).toString('base64'))
console.error(Buffer.from(process.env.IMPLEMENTER_ACCESS).toString('hex'))
console.error(process.env.IMPLEMENTER_ACCESS)
writeFileSync(${JSON.stringify(join(green.at.sample.home, 'prompt.txt'))}, prompt)
process.exit(4)`,
      { env: ['IMPLEMENTER_ACCESS'] },
    )
    const shipped = await green.ship(1, { IMPLEMENTER_ACCESS: secret, SOME_TOKEN: own })
    expect(shipped.result.until_green?.repairs).toHaveLength(1)
    expect(readFileSync(join(green.at.sample.home, 'prompt.txt'), 'utf8')).not.toContain(
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
      readFileSync(join(green.at.sample.repo, 'openclaw.config.json'), 'utf8'),
    ) as { tests: Suite[] }
    green.at.sample.config({
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
    green.breakIt()
    green.implementer(
      `writeFileSync(${JSON.stringify(join(green.at.sample.home, 'prompt.txt'))}, prompt)`,
    )
    await green.ship(1)
    expect(
      readFileSync(join(green.at.sample.home, 'prompt.txt'), 'utf8').split('end of the log:')[1],
    ).toContain('tests_failed: ')
  })
})
