import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { nodeProgram } from '#ops/base/process/program'
import { makeShipRepo, type ShipRepo } from '../../../support/ship-repo.ts'
import { expectStop } from '../../../support/ship-stop.ts'
import { approve, startResponsesApi, type ResponsesApi } from '../../../support/responses-api.ts'

let api: ResponsesApi
let sample: ShipRepo
beforeAll(async () => {
  api = await startResponsesApi()
})
afterAll(() => api.close())
beforeEach(() => {
  sample = makeShipRepo(api.base_url)
  api.script(approve)
})
afterEach(() => sample.remove())

const stop = (expected: Parameters<typeof expectStop>[1], env?: Record<string, string>) =>
  expectStop(sample, expected, env)
const suite = (body: string): Record<string, string> => ({
  'app.test.mjs': `import assert from 'node:assert/strict'\nimport { test } from 'node:test'\ntest('fine', () => {})\n${body}\n`,
})
const node = nodeProgram()
const unit = (change: object) => ({
  name: 'unit',
  argv: [
    node,
    '--test',
    '--test-reporter=junit',
    '--test-reporter-destination=report.xml',
    'app.test.mjs',
  ],
  report: { format: 'junit' as const, path: 'report.xml' },
  ...change,
})

describe('preflight stops a ship', () => {
  it.each(['0', '', '1'])('with CODEX_SKIP=%s', async (value) => {
    sample.commit('Second')
    await stop(
      {
        error_class: 'codex_skip_set',
        step: 'preflight',
        fix: 'unset_codex_skip',
        exit: 2,
        detail: 'CODEX_SKIP',
      },
      { CODEX_SKIP: value },
    )
  })

  it('on a production host, by variable and by install root', async () => {
    sample.commit('Second')
    await stop(
      { error_class: 'host_guard_production', step: 'preflight', fix: 'ship_from_laptop', exit: 2 },
      { OPENCLAW_PRODUCTION: '1' },
    )
    await stop(
      {
        error_class: 'host_guard_production',
        step: 'preflight',
        fix: 'ship_from_laptop',
        exit: 2,
        detail: 'install root',
      },
      { OPENCLAW_ROOT: sample.repo },
    )
  })

  it('when the commit tracks something where HQ keeps its proof', async () => {
    sample.commit('Second', { 'artifacts/ship/20261122T120000Z-aaaaaaaa/ship_result.json': '{}' })
    await stop({
      error_class: 'config_invalid',
      step: 'preflight',
      fix: 'fix_configuration',
      exit: 1,
      detail: 'tracks artifacts',
    })
  })

  it('with hooks redirected in the repository, for the user, or through the environment', async () => {
    sample.commit('Second')
    const expected = {
      error_class: 'hook_bypass',
      step: 'preflight',
      fix: 'restore_git_hooks',
      exit: 2,
    } as const
    sample.git('config', 'core.hooksPath', '/dev/null')
    await stop({ ...expected, detail: 'core.hooksPath=/dev/null (local' })
    sample.git('config', 'core.hooksPath', '.githooks')
    await stop(
      { ...expected, detail: '(command' },
      { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'core.hooksPath', GIT_CONFIG_VALUE_0: '/nowhere' },
    )
    writeFileSync(join(sample.env['HOME'] ?? '', '.gitconfig'), '[core]\n\thooksPath = /tmp/none\n')
    await stop({ ...expected, detail: '(global' })
    // What hides the file from the caller's git does not hide it from the one that pushes.
    for (const name of ['GIT_CONFIG_GLOBAL', 'GIT_CONFIG'])
      await stop({ ...expected, detail: '(global' }, { [name]: '/dev/null' })
  })

  it('with an untracked file, and with a changed one', async () => {
    sample.commit('Second')
    const expected = {
      error_class: 'dirty_tree',
      step: 'preflight',
      fix: 'commit_changes',
      exit: 2,
    } as const
    sample.write('notes.txt', 'x')
    await stop({ ...expected, detail: 'notes.txt' })
    rmSync(join(sample.repo, 'notes.txt'))
    sample.write('app.mjs', 'export const add = () => 0\n')
    await stop({ ...expected, detail: 'app.mjs' })
  })

  it('with changes that git was told to overlook, an unfinished merge, and replace refs', async () => {
    const first = sample.git('rev-parse', 'HEAD')
    const second = sample.commit('Second', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
    sample.git('update-index', '--assume-unchanged', 'app.mjs')
    await stop({
      error_class: 'hidden_changes',
      step: 'preflight',
      fix: 'unhide_changes',
      exit: 2,
      detail: 'app.mjs',
    })
    sample.git('update-index', '--no-assume-unchanged', 'app.mjs')
    sample.git('update-index', '--skip-worktree', 'app.mjs')
    await stop({ error_class: 'hidden_changes', step: 'preflight', fix: 'unhide_changes', exit: 2 })
    sample.git('update-index', '--no-skip-worktree', 'app.mjs')
    writeFileSync(join(sample.repo, '.git', 'MERGE_HEAD'), `${first}\n`)
    await stop({
      error_class: 'unfinished_git_operation',
      step: 'preflight',
      fix: 'finish_git_operation',
      exit: 2,
      detail: 'merge',
    })
    rmSync(join(sample.repo, '.git', 'MERGE_HEAD'))
    sample.git('replace', second, first)
    await stop({
      error_class: 'replace_refs',
      step: 'preflight',
      fix: 'remove_replace_refs',
      exit: 2,
    })
  })

  it('on another branch, and detached', async () => {
    sample.git('checkout', '--quiet', '-b', 'feature')
    sample.commit('Second')
    await stop({
      error_class: 'wrong_branch',
      step: 'preflight',
      fix: 'switch_to_main',
      exit: 2,
      detail: 'feature',
    })
    sample.git('checkout', '--quiet', '--detach')
    await stop({ error_class: 'wrong_branch', step: 'preflight', fix: 'switch_to_main', exit: 2 })
  })

  it('with nothing to ship, behind origin/main, diverged from it, and when origin is away', async () => {
    const first = sample.git('rev-parse', 'HEAD')
    await stop({
      error_class: 'nothing_to_ship',
      step: 'preflight',
      fix: 'commit_changes',
      exit: 2,
    })
    sample.commit('Theirs')
    sample.git('push', '--quiet', 'origin', 'main')
    sample.git('reset', '--quiet', '--hard', first)
    await stop({
      error_class: 'behind_remote',
      step: 'preflight',
      fix: 'integrate_remote',
      exit: 2,
    })
    sample.commit('Ours')
    await stop({
      error_class: 'diverged_from_remote',
      step: 'preflight',
      fix: 'integrate_remote',
      exit: 2,
    })
    sample.git('remote', 'set-url', 'origin', join(sample.repo, 'nowhere.git'))
    await stop({
      error_class: 'remote_unreachable',
      step: 'preflight',
      fix: 'retry_when_reachable',
      exit: 1,
    })
  })

  it('without exactly one next action, and with a broken configuration', async () => {
    sample.commit('Two actions', { 'docs/OPENCLAW_NEXT.md': '# Next action\n\n- One.\n- Two.\n' })
    await stop({
      error_class: 'next_action_invalid',
      step: 'preflight',
      fix: 'set_next_action',
      exit: 2,
      detail: '2 next actions',
    })
    sample.git('rm', '--quiet', 'docs/OPENCLAW_NEXT.md')
    sample.commit('No file')
    await stop({
      error_class: 'next_action_invalid',
      step: 'preflight',
      fix: 'set_next_action',
      exit: 2,
    })
    sample.commit('Broken', {
      'openclaw.config.json': '{"schema_version": 1, "project": "sample", "tests": []}',
    })
    await stop({
      error_class: 'config_invalid',
      step: 'preflight',
      fix: 'fix_configuration',
      exit: 1,
      detail: 'tests:',
    })
  })
})

describe('the tests stop a ship', () => {
  it('when one fails, naming it', async () => {
    sample.commit('Second', suite(`test('adds wrongly', () => assert.equal(1 + 1, 3))`))
    const { result } = await stop({
      error_class: 'tests_failed',
      step: 'tests',
      fix: 'fix_and_ship',
      exit: 1,
      detail: 'adds wrongly',
    })
    expect(result.tests).toEqual([{ name: 'unit', total: 2, passed: 1, failed: 1, skipped: 0 }])
  })

  it('when one is skipped, also when the same change permits it', async () => {
    sample.commit('Second', suite(`test('left out', { skip: 'no network' }, () => {})`))
    await stop({
      error_class: 'tests_skipped',
      step: 'tests',
      fix: 'unskip_tests',
      exit: 2,
      detail: 'left out',
    })
    sample.config({
      tests: [
        unit({
          allowed_skips: [{ test: 'left out', reason: 'no network', expires: '2999-01-01' }],
        }),
      ],
    })
    sample.commit('A permission in the same change')
    await stop({ error_class: 'tests_skipped', step: 'tests', fix: 'unskip_tests', exit: 2 })
  })

  it('when there is no report, although one is committed', async () => {
    sample.config({ tests: [unit({ argv: [node, '-e', '0'] })] })
    sample.git('rm', '--quiet', '--cached', '.gitignore')
    sample.commit('Second', {
      '.gitignore': '',
      'report.xml': '<testsuites><testcase name="fine"/></testsuites>',
    })
    await stop({
      error_class: 'tests_no_report',
      step: 'tests',
      fix: 'fix_test_report',
      exit: 1,
      detail: 'report.xml',
    })
  })

  it('when the report is a link out of the worktree, lists no test, or is no XML', async () => {
    const writes = (code: string) => ({
      tests: [unit({ name: 'extra', argv: [node, '-e', code] }), unit({})],
    })
    const expected = {
      error_class: 'tests_no_report',
      step: 'tests',
      fix: 'fix_test_report',
      exit: 1,
    } as const
    const outside = join(sample.temp, 'outside.xml')
    writeFileSync(outside, '<testsuites><testcase name="fine"/></testsuites>')
    for (const [code, detail] of [
      [`require('fs').symlinkSync(${JSON.stringify(outside)}, 'report.xml')`, 'extra'],
      [
        `require('fs').writeFileSync('report.xml', '<testsuites tests="0"></testsuites>')`,
        'lists no test',
      ],
      [`require('fs').writeFileSync('report.xml', '<testsuites><testcase')`, 'not well-formed'],
    ] as const) {
      sample.config(writes(code))
      sample.commit('Report')
      await stop({ ...expected, detail })
    }
    mkdirSync(join(sample.temp, 'folder'))
    writeFileSync(join(sample.temp, 'folder', 'report.xml'), 'precious')
    // The link is made by the suite itself: one that the change brings along is refused before any test runs.
    const prepare = [
      node,
      '-e',
      `require('fs').symlinkSync(${JSON.stringify(join(sample.temp, 'folder'))}, 'out')`,
    ]
    sample.config({
      tests: [
        unit({ name: 'extra', prepare, report: { format: 'junit', path: 'out/report.xml' } }),
        unit({}),
      ],
    })
    sample.commit('Report behind a link')
    await stop({ ...expected, detail: 'outside the worktree' })
  })

  it('when the command fails although its report is green, when it hangs, and when preparing fails', async () => {
    const green = `require('fs').writeFileSync('report.xml', '<testsuites><testcase name="fine"/></testsuites>')`
    const extra = (change: object) =>
      sample.config({ tests: [unit({}), unit({ name: 'extra', ...change })] })
    extra({ argv: [node, '-e', `${green}; process.exit(3)`] })
    sample.commit('Fails')
    await stop({
      error_class: 'tests_failed',
      step: 'tests',
      fix: 'fix_and_ship',
      exit: 1,
      detail: 'ended with 3',
    })
    extra({ argv: [node, '-e', `${green}; setInterval(() => {}, 1000)`], timeout_seconds: 1 })
    sample.commit('Hangs')
    await stop({ error_class: 'tests_timeout', step: 'tests', fix: 'fix_and_ship', exit: 1 })
    extra({ prepare: [node, '-e', 'process.exit(1)'] })
    sample.commit('Prepare')
    await stop({ error_class: 'tests_prepare_failed', step: 'tests', fix: 'fix_and_ship', exit: 1 })
    extra({ argv: ['no-such-program-4711'] })
    sample.commit('Missing program')
    await stop({
      error_class: 'tests_failed',
      step: 'tests',
      fix: 'fix_and_ship',
      exit: 1,
      detail: 'no-such-program-4711',
    })
  })

  it('of the base as well: a change cannot replace a suite by an easier one', async () => {
    sample.config({
      tests: [
        unit({
          argv: [
            node,
            '-e',
            `require('fs').writeFileSync('report.xml', '<testsuites><testcase name="fine"/></testsuites>')`,
          ],
        }),
      ],
    })
    sample.commit('Easier', suite(`test('adds wrongly', () => assert.equal(1 + 1, 3))`))
    const { result } = await stop({
      error_class: 'tests_failed',
      step: 'tests',
      fix: 'fix_and_ship',
      exit: 1,
    })
    expect(result.tests.map(({ name, failed }) => `${name} ${failed}`)).toEqual([
      'unit 1',
      'unit-altered 0',
    ])
  })
})

describe('the review is not asked', () => {
  it('without credentials: the remedy is to connect Codex', async () => {
    sample.commit('Second')
    await stop(
      {
        error_class: 'review_unavailable',
        step: 'review_auto',
        fix: 'connect_codex',
        exit: 2,
        detail: 'REVIEW_KEY',
      },
      { REVIEW_KEY: '' },
    )
    sample.settings({
      provider: 'openai',
      providers: [
        {
          id: 'openai',
          label: 'OpenAI',
          base_url: 'https://api.openai.com/v1',
          env_key: null,
          scripted: false,
        },
      ],
    })
    await stop({
      error_class: 'review_unavailable',
      step: 'review_auto',
      fix: 'connect_codex',
      exit: 2,
      detail: 'no credentials',
    })
    expect(api.calls()).toBe(0)
  })

  it('of a provider that the operator has not accepted, whatever the repository says', async () => {
    sample.commit('Second', { '.codex/config.toml': 'model_provider = "evil"\n' })
    sample.settings({ provider: 'evil' })
    await stop({
      error_class: 'review_provider_refused',
      step: 'review_auto',
      fix: 'accept_review_provider',
      exit: 2,
    })
    expect(api.calls()).toBe(0)
  })

  it('about a diff that is too large, by the limit of the base', async () => {
    sample.config({ review: { max_diff_bytes: 2_000_000, timeout_seconds: 900 } })
    sample.commit('Second', { 'big.txt': 'line\n'.repeat(60_000) })
    await stop({
      error_class: 'review_too_large',
      step: 'review_auto',
      fix: 'split_change',
      exit: 2,
      detail: '200000',
    })
    expect(api.calls()).toBe(0)
  })

  it('when the Codex program is missing, and when it does not start', async () => {
    sample.commit('Second')
    sample.settings({ codex: '/no/such/codex' })
    await stop({
      error_class: 'review_unavailable',
      step: 'review_auto',
      fix: 'connect_codex',
      exit: 2,
      detail: '/no/such/codex',
    })
    const broken = join(sample.temp, 'broken-codex')
    writeFileSync(broken, '#!/bin/sh\nexit 1\n')
    chmodSync(broken, 0o755)
    sample.settings({ codex: broken })
    await stop({
      error_class: 'review_unavailable',
      step: 'review_auto',
      fix: 'connect_codex',
      exit: 2,
      detail: 'does not start',
    })
  })
})
