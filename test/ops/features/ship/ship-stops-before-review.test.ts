import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { nodeProgram } from '#ops/base/process/program'
import { expectStop } from '../../../support/ship-stop.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'

const at = shipFixture()

const stop = (expected: Parameters<typeof expectStop>[1], env?: Record<string, string>) =>
  expectStop(at.sample, expected, env)
const suite = (body: string): Record<string, string> => ({
  'app.test.mjs':
    `import assert from 'node:assert/strict'\n` +
    `import { test } from 'node:test'\n` +
    `test('fine', () => {})\n` +
    `${body}\n`,
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

describe('preflight', () => {
  it('refuses CODEX_SKIP, even when it is 0', async () => {
    at.sample.commit('Second')
    await stop(
      {
        error_class: 'codex_skip_set',
        step: 'preflight',
        fix: 'unset_codex_skip',
        exit: 2,
        detail: 'CODEX_SKIP',
      },
      { CODEX_SKIP: '0' },
    )
  })

  it('refuses a production host', async () => {
    at.sample.commit('Second')
    await stop(
      { error_class: 'host_guard_production', step: 'preflight', fix: 'ship_from_laptop', exit: 2 },
      { OPENCLAW_PRODUCTION: '1' },
    )
  })

  it('B10 refuses a commit that tracks the proof folder of HQ', async () => {
    at.sample.commit('Second', {
      'artifacts/ship/20261122T120000Z-aaaaaaaa/ship_result.json': '{}',
    })
    await stop({
      error_class: 'artifacts_tracked',
      step: 'preflight',
      fix: 'untrack_artifacts',
      exit: 2,
      detail: 'tracks artifacts/ship/20261122T120000Z-aaaaaaaa/ship_result.json',
    })
  })

  it('refuses hooks redirected in the repository or for the user', async () => {
    at.sample.commit('Second')
    const expected = {
      error_class: 'hook_bypass',
      step: 'preflight',
      fix: 'restore_git_hooks',
      exit: 2,
    } as const
    at.sample.git('config', 'core.hooksPath', '/dev/null')
    await stop({ ...expected, detail: 'core.hooksPath=/dev/null (local' })
    at.sample.git('config', 'core.hooksPath', '.githooks')
    writeFileSync(
      join(at.sample.env['HOME'] ?? '', '.gitconfig'),
      '[core]\n\thooksPath = /tmp/none\n',
    )
    await stop({ ...expected, detail: '(global' })
    // What hides the file from the caller's git does not hide it from the one that pushes.
    for (const name of ['GIT_CONFIG_GLOBAL', 'GIT_CONFIG'])
      await stop({ ...expected, detail: '(global' }, { [name]: '/dev/null' })
  })

  it('refuses an untracked file', async () => {
    at.sample.commit('Second')
    const expected = {
      error_class: 'dirty_tree',
      step: 'preflight',
      fix: 'commit_changes',
      exit: 2,
    } as const
    at.sample.write('notes.txt', 'x')
    await stop({ ...expected, detail: 'notes.txt' })
  })

  it('refuses hidden changes, an unfinished merge, and replace refs', async () => {
    const first = at.sample.git('rev-parse', 'HEAD')
    const second = at.sample.commit('Second', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
    at.sample.git('update-index', '--assume-unchanged', 'app.mjs')
    await stop({
      error_class: 'hidden_changes',
      step: 'preflight',
      fix: 'unhide_changes',
      exit: 2,
      detail: 'app.mjs',
    })
    at.sample.git('update-index', '--no-assume-unchanged', 'app.mjs')
    writeFileSync(join(at.sample.repo, '.git', 'MERGE_HEAD'), `${first}\n`)
    await stop({
      error_class: 'unfinished_git_operation',
      step: 'preflight',
      fix: 'finish_git_operation',
      exit: 2,
      detail: 'merge',
    })
    rmSync(join(at.sample.repo, '.git', 'MERGE_HEAD'))
    at.sample.git('replace', second, first)
    await stop({
      error_class: 'replace_refs',
      step: 'preflight',
      fix: 'remove_replace_refs',
      exit: 2,
    })
  })

  it('refuses another branch', async () => {
    at.sample.git('checkout', '--quiet', '-b', 'feature')
    at.sample.commit('Second')
    await stop({
      error_class: 'wrong_branch',
      step: 'preflight',
      fix: 'switch_to_main',
      exit: 2,
      detail: 'feature',
    })
  })

  it('refuses nothing to ship, a branch behind or diverged, and an unreachable origin', async () => {
    const first = at.sample.git('rev-parse', 'HEAD')
    await stop({
      error_class: 'nothing_to_ship',
      step: 'preflight',
      fix: 'commit_changes',
      exit: 2,
    })
    at.sample.commit('Theirs')
    at.sample.git('push', '--quiet', 'origin', 'main')
    at.sample.git('reset', '--quiet', '--hard', first)
    await stop({
      error_class: 'behind_remote',
      step: 'preflight',
      fix: 'integrate_remote',
      exit: 2,
    })
    at.sample.commit('Ours')
    await stop({
      error_class: 'diverged_from_remote',
      step: 'preflight',
      fix: 'integrate_remote',
      exit: 2,
    })
    at.sample.git('remote', 'set-url', 'origin', join(at.sample.repo, 'nowhere.git'))
    await stop({
      error_class: 'remote_unreachable',
      step: 'preflight',
      fix: 'retry_when_reachable',
      exit: 1,
    })
  })

  it('refuses two next actions, and a broken configuration', async () => {
    at.sample.commit('Two actions', {
      'docs/OPENCLAW_NEXT.md': '# Next action\n\n- One.\n- Two.\n',
    })
    await stop({
      error_class: 'next_action_invalid',
      step: 'preflight',
      fix: 'set_next_action',
      exit: 2,
      detail: '2 next actions',
    })
    at.sample.commit('Broken', {
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

describe('the tests gate', () => {
  it('refuses a failing test by name', async () => {
    at.sample.commit('Second', suite(`test('adds wrongly', () => assert.equal(1 + 1, 3))`))
    const { result } = await stop({
      error_class: 'tests_failed',
      step: 'tests',
      fix: 'fix_and_ship',
      exit: 1,
      detail: 'adds wrongly',
    })
    expect(result.tests).toEqual([{ name: 'unit', total: 2, passed: 1, failed: 1, skipped: 0 }])
  })

  it('refuses a skipped test, even when the same change permits it', async () => {
    at.sample.commit('Second', suite(`test('left out', { skip: 'no network' }, () => {})`))
    await stop({
      error_class: 'tests_skipped',
      step: 'tests',
      fix: 'unskip_tests',
      exit: 2,
      detail: 'left out',
    })
    at.sample.config({
      tests: [
        unit({
          allowed_skips: [{ test: 'left out', reason: 'no network', expires: '2999-01-01' }],
        }),
      ],
    })
    at.sample.commit('A permission in the same change')
    await stop({ error_class: 'tests_skipped', step: 'tests', fix: 'unskip_tests', exit: 2 })
  })

  it('G9 refuses a test file that ends itself with 0 before its tests are reported', async () => {
    at.sample.commit('Second', suite('process.exit(0)'))
    await stop({
      error_class: 'tests_no_report',
      step: 'tests',
      fix: 'fix_test_report',
      exit: 1,
      detail: 'the file ended without reporting a test',
    })
  })

  it('B4 counts a failing test to do as to do, which no permission covers yet', async () => {
    at.sample.commit('Second', suite(`test('later', { todo: true }, () => assert.fail('no'))`))
    const { result } = await stop({
      error_class: 'tests_skipped',
      step: 'tests',
      fix: 'unskip_tests',
      exit: 2,
      detail: 'first later: to do',
    })
    expect(result.tests).toEqual([
      { name: 'unit', total: 2, passed: 1, failed: 0, skipped: 0, todo: 1 },
    ])
  })

  it('refuses a missing report, although one is committed', async () => {
    at.sample.config({ tests: [unit({ argv: [node, '-e', '0'] })] })
    at.sample.git('rm', '--quiet', '--cached', '.gitignore')
    at.sample.commit('Second', {
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

  it('refuses a command that hangs, and a failed preparation', async () => {
    const green = `require('fs').writeFileSync('report.xml', '<testsuites><testcase name="fine"/></testsuites>')`
    const extra = (change: object) =>
      at.sample.config({ tests: [unit({}), unit({ name: 'extra', ...change })] })
    extra({ argv: [node, '-e', `${green}; setInterval(() => {}, 1000)`], timeout_seconds: 1 })
    at.sample.commit('Hangs')
    await stop({ error_class: 'tests_timeout', step: 'tests', fix: 'fix_and_ship', exit: 1 })
    extra({ prepare: [node, '-e', 'process.exit(1)'] })
    at.sample.commit('Prepare')
    await stop({
      error_class: 'tests_prepare_failed',
      step: 'tests',
      fix: 'fix_test_setup',
      exit: 1,
    })
  })

  it('runs the suites of the base too: a change cannot replace one by an easier one', async () => {
    at.sample.config({
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
    at.sample.commit('Easier', suite(`test('adds wrongly', () => assert.equal(1 + 1, 3))`))
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

describe('no review is requested', () => {
  it('happens without a key, and the remedy is to connect Codex', async () => {
    at.sample.commit('Second', { 'second.txt': 'x\n' })
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
    expect(at.api.calls()).toBe(0)
  })

  it('happens for a provider that the operator has not accepted, whatever the repository says', async () => {
    at.sample.commit('Second', { '.codex/config.toml': 'model_provider = "evil"\n' })
    at.sample.settings({ provider: 'evil' })
    await stop({
      error_class: 'review_provider_refused',
      step: 'review_auto',
      fix: 'accept_review_provider',
      exit: 2,
    })
    expect(at.api.calls()).toBe(0)
  })

  it('happens for a diff that is too large by the limit of the base', async () => {
    at.sample.config({ review: { max_diff_bytes: 2_000_000, timeout_seconds: 900 } })
    at.sample.commit('Second', { 'big.txt': 'line\n'.repeat(60_000) })
    await stop({
      error_class: 'review_too_large',
      step: 'review_auto',
      fix: 'split_change',
      exit: 2,
      detail: '200000',
    })
    expect(at.api.calls()).toBe(0)
  })

  it('happens when the Codex program is missing', async () => {
    at.sample.commit('Second', { 'second.txt': 'x\n' })
    at.sample.settings({ codex: '/no/such/codex' })
    await stop({
      error_class: 'review_unavailable',
      step: 'review_auto',
      fix: 'connect_codex',
      exit: 2,
      detail: '/no/such/codex',
    })
  })
})
