import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseRunEvent } from '#shared/events'
import { shipBundleFiles } from '#shared/bundle'
import { checkVerdictSignature } from '#ops/core/trust/sign-verdict'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { verifyBundle } from '#ops/core/proof/verify-bundle'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { signedVerdict } from '#shared/signature'
import { pushedStatements, statementFile, statementRef } from '#shared/statement'
import { reviewRef } from '#shared/verdict'
import { contradiction } from '#ops/core/trust/commit-statements'
import { openEnvelope } from '#ops/core/trust/envelope'
import { approve } from '../../../support/responses-api.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'

const at = shipFixture()

const change = 'export const add = (a, b) => b + a\n'

describe('a ship that passes', () => {
  it('leaves origin/main at the reviewed commit, the verdict beside it, and a complete bundle', async () => {
    const before = at.sample.git('rev-parse', 'HEAD')
    const head = at.sample.commit('Second', { 'app.mjs': change })
    let authorization: string | null = null
    at.api.script((bindings, request) => {
      authorization = request.authorization
      return approve(bindings, request)
    })
    const { exitCode, result, dir, stdout } = await at.sample.ship()

    expect(result).toMatchObject({
      overall: 'PASS',
      step_failed: null,
      error_class: null,
      next_auto_fix: null,
      git_head: head,
      git_tree: at.sample.git('rev-parse', 'HEAD^{tree}'),
      since_sha: before,
      pushed_sha: head,
      remote_sha: head,
      scripted_review: true,
      tests: [{ name: 'unit', total: 1, passed: 1, failed: 0, skipped: 0 }],
    })
    expect(exitCode).toBe(0)
    expect(JSON.parse(stdout)).toEqual(result)
    expect(result.steps.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'preflight passed',
      'tests passed',
      'review_auto passed',
      'check_fail_closed_push passed',
      'review_finish passed',
    ])
    expect(at.sample.remoteRefs()['refs/heads/main']).toBe(head)

    const pushed = at.sample.git('--git-dir', at.sample.origin, 'cat-file', 'blob', reviewRef(head))
    const verdict = signedVerdict.parse(JSON.parse(pushed))
    expect(verdict).toMatchObject({
      verdict_id: result.verdict_id,
      run_id: result.run_id,
      base_sha: before,
      head_sha: head,
      files: [{ path: 'app.mjs', status: 'modified', additions: 1, deletions: 1 }],
      reviewer: { model: 'test-model', base_url: at.api.base_url, scripted: true },
    })
    const key = readProofPublicKey(laptopProofPaths(at.sample.home, at.sample.repo))
    expect(checkVerdictSignature(verdict, trustKeys(key === null ? [] : [key], 'the test'))).toBe(
      'verified',
    )
    for (const kind of pushedStatements) {
      const there = at.sample.git(
        '--git-dir',
        at.sample.origin,
        'cat-file',
        'blob',
        statementRef(kind, head),
      )
      expect(readFileSync(join(dir, statementFile(kind)), 'utf8')).toBe(there)
      const opened = openEnvelope(there, trustKeys(key === null ? [] : [key], 'the test'))
      if (opened.state !== 'verified') throw new Error(`${kind}: ${opened.state}`)
      expect(contradiction(kind, opened.statement, verdict)).toBeNull()
    }
    const tests = openEnvelope(readFileSync(join(dir, statementFile('tests')), 'utf8'), new Map())
    expect(tests).toMatchObject({
      statement: {
        predicate: {
          result: 'PASSED',
          passedTests: result.tests.map(({ name }) => name),
          configuration: [
            { digest: { gitBlob: at.sample.git('rev-parse', 'HEAD:openclaw.config.json') } },
          ],
        },
      },
    })
    expect(statSync(laptopProofPaths(at.sample.home, at.sample.repo).keyFile).mode & 0o777).toBe(
      0o600,
    )
    expect(verdict.reviewer.cli_version).toMatch(/\d+\.\d+\.\d+/)
    expect(readFileSync(join(dir, 'verdict.json'), 'utf8').trimEnd()).toBe(pushed)
    const digest = (file: string): string =>
      createHash('sha256')
        .update(readFileSync(join(dir, file)))
        .digest('hex')
    expect(digest('diff.patch')).toBe(verdict.diff_sha256)
    expect(digest('review_prompt.txt')).toBe(verdict.prompt_sha256)

    for (const file of [
      ...shipBundleFiles,
      'review.jsonl',
      'review_answer.json',
      'tests-unit.xml',
      'review_finish.log',
    ])
      expect(readFileSync(join(dir, file)).length, file).toBeGreaterThan(0)
    for (const file of Object.values(result.artifacts))
      expect(readFileSync(join(dir, file)).length, file).toBeGreaterThan(0)
    const events = readFileSync(join(dir, 'events.ndjson'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => parseRunEvent(JSON.parse(line)))
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
    expect(events.at(-1)).toMatchObject({
      type: 'run_finished',
      result: { run_id: result.run_id, overall: 'PASS' },
    })

    expect(authorization).toBe('Bearer canary-key-4711')
    for (const file of readdirSync(dir))
      expect(readFileSync(join(dir, file), 'utf8'), file).not.toContain('canary-key-4711')
    const proof = await verifyBundle(dir, {
      keys: trustKeys(key === null ? [] : [key], 'the test'),
    })
    expect(proof).toMatchObject({ state: 'verified', problems: [], kind: 'ship', counter: 1 })
    expect(at.sample.git('status', '--porcelain')).toBe('')
    expect(at.sample.leftovers(result.run_id)).toEqual([])
  })

  it('accepts a skip that the base permits by name and reason, up to its last day', async () => {
    const allow = (expires: string) => {
      const config = JSON.parse(
        readFileSync(join(at.sample.repo, 'openclaw.config.json'), 'utf8'),
      ) as { tests: object[] }
      at.sample.config({
        tests: [
          {
            ...config.tests[0],
            allowed_skips: [{ test: 'left out', reason: 'needs the network', expires }],
          },
        ],
      } as never)
    }
    allow('2999-01-01')
    at.sample.commit('Permission')
    expect((await at.sample.ship()).result.overall).toBe('PASS')
    allow('2020-01-01')
    at.sample.commit('A skip', {
      'app.test.mjs':
        `import { test } from 'node:test'\n` +
        `test('fine', () => {})\n` +
        `test('left out', { skip: true }, () => {})\n`,
    })
    const { result, dir } = await at.sample.ship()
    expect(result).toMatchObject({ overall: 'PASS', tests: [{ total: 2, passed: 1, skipped: 1 }] })
    expect(
      signedVerdict.parse(JSON.parse(readFileSync(join(dir, 'verdict.json'), 'utf8')))
        .gate_settings_changed,
    ).toEqual(['tests.unit: altered'])
    at.sample.commit('Third', { 'third.txt': 'x\n' })
    expect((await at.sample.ship()).result).toMatchObject({
      overall: 'FAIL',
      error_class: 'tests_skipped',
    })
  })

  it('G6: names every check of a deploy that a change removes, to the reviewer and in the verdict', async () => {
    at.sample.config({
      services: [{ name: 'app', argv: ['node', 'app.mjs'], port: 3000, health: { path: '/ok' } }],
      endpoints: [{ service: 'app', path: '/ok' }],
      routes: [{ path: '/api/app' }],
    })
    at.sample.commit('Checks')
    expect((await at.sample.ship()).result.overall).toBe('PASS')
    at.sample.config({
      ports: { exceptions: [{ protocol: 'tcp', port: 3000, reason: 'why not' }] },
    })
    at.sample.commit('No checks')
    const { result, dir } = await at.sample.ship()
    expect(result.overall).toBe('PASS')
    const { gate_settings_changed } = signedVerdict.parse(
      JSON.parse(readFileSync(join(dir, 'verdict.json'), 'utf8')),
    )
    expect(gate_settings_changed).toEqual([
      'services app: removed',
      'endpoints app/ok: removed',
      'routes /api/app: removed',
      'ports.exceptions tcp 3000: added',
    ])
    const prompt = readFileSync(join(dir, 'review_prompt.txt'), 'utf8')
    for (const each of gate_settings_changed) expect(prompt).toContain(JSON.stringify(each))
  })

  it("uses Codex's sign-in at the address of the settings, not of OPENAI_BASE_URL or Codex", async () => {
    const codexHome = join(at.sample.temp, 'codex')
    mkdirSync(codexHome)
    writeFileSync(
      join(codexHome, 'auth.json'),
      JSON.stringify({ OPENAI_API_KEY: 'canary-sign-in-4712' }),
    )
    writeFileSync(join(codexHome, 'config.toml'), 'openai_base_url = "http://127.0.0.1:9/v1"\n')
    at.sample.settings({
      provider: 'openai',
      providers: [
        {
          id: 'openai',
          label: 'OpenAI',
          base_url: at.api.base_url,
          env_key: null,
          scripted: false,
        },
      ],
    })
    at.sample.commit('Second', { 'app.mjs': change })
    let authorization: string | null = null
    at.api.script((bindings, request) => {
      authorization = request.authorization
      return approve(bindings, request)
    })
    const { result, dir } = await at.sample.ship({
      CODEX_HOME: codexHome,
      OPENAI_BASE_URL: 'http://127.0.0.1:9/v1',
    })
    expect(result).toMatchObject({ overall: 'PASS', scripted_review: false })
    expect(authorization).toBe('Bearer canary-sign-in-4712')
    for (const file of readdirSync(dir))
      expect(readFileSync(join(dir, file), 'utf8'), file).not.toContain('canary-sign-in-4712')
  })
})
