import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { shipFixture } from '../../../../support/ship-fixture.ts'
import { expectPreflightStop, runPreflight } from '../../../../support/ship-preflight.ts'

const at = shipFixture({
  provider: 'unreachable',
  prepare: ({ sample }) => sample.commit('Second', { 'app.mjs': 'export const add = () => 1\n' }),
})

/** One case of each class goes through the whole command line in ship-stops-before-review.test.ts. */
describe('preflight', () => {
  it.each(['', '1'])('refuses CODEX_SKIP=%s', async (value) => {
    await expectPreflightStop(
      at.sample,
      { error_class: 'codex_skip_set', fix: 'unset_codex_skip', exit: 2, detail: 'CODEX_SKIP' },
      { CODEX_SKIP: value },
    )
  })

  it('refuses the install root of a host', async () => {
    await expectPreflightStop(
      at.sample,
      {
        error_class: 'host_guard_production',
        fix: 'ship_from_laptop',
        exit: 2,
        detail: 'install root',
      },
      { OPENCLAW_ROOT: at.sample.repo },
    )
  })

  it('refuses hooks redirected through the environment, although .githooks is allowed', async () => {
    at.sample.git('config', 'core.hooksPath', '.githooks')
    await expectPreflightStop(
      at.sample,
      { error_class: 'hook_bypass', fix: 'restore_git_hooks', exit: 2, detail: '(command' },
      { GIT_CONFIG_COUNT: '1', GIT_CONFIG_KEY_0: 'core.hooksPath', GIT_CONFIG_VALUE_0: '/nowhere' },
    )
  })

  it('refuses a changed file', async () => {
    at.sample.write('app.mjs', 'export const add = () => 0\n')
    await expectPreflightStop(at.sample, {
      error_class: 'dirty_tree',
      fix: 'commit_changes',
      exit: 2,
      detail: 'app.mjs',
    })
  })

  it('refuses a file marked skip-worktree', async () => {
    at.sample.git('update-index', '--skip-worktree', 'app.mjs')
    await expectPreflightStop(at.sample, {
      error_class: 'hidden_changes',
      fix: 'unhide_changes',
      exit: 2,
    })
  })

  const elsewhere = '/srv/elsewhere.git'
  it.each([
    ['pushurl', () => at.sample.git('config', 'remote.origin.pushurl', elsewhere)],
    [
      'a second push address',
      () => {
        at.sample.git('config', '--add', 'remote.origin.pushurl', at.sample.origin)
        at.sample.git('config', '--add', 'remote.origin.pushurl', elsewhere)
      },
    ],
    [
      'pushInsteadOf of the repository',
      () => at.sample.git('config', `url.${elsewhere}.pushInsteadOf`, at.sample.origin),
    ],
    [
      'pushInsteadOf of a file that the configuration includes',
      () => {
        const file = join(at.sample.home, 'more.gitconfig')
        writeFileSync(file, `[url "${elsewhere}"]\n\tpushInsteadOf = ${at.sample.origin}\n`)
        at.sample.git('config', 'include.path', file)
      },
    ],
    ['a second url', () => at.sample.git('config', '--add', 'remote.origin.url', elsewhere)],
  ])('G12 refuses %s that leads elsewhere, and names both addresses', async (_what, spoil) => {
    spoil()
    await expectPreflightStop(at.sample, {
      error_class: 'push_address_differs',
      fix: 'unify_origin_address',
      exit: 2,
      detail: `origin is read from ${at.sample.origin}, and a push goes to `,
    })
    await expectPreflightStop(at.sample, {
      error_class: 'push_address_differs',
      fix: 'unify_origin_address',
      exit: 2,
      detail: elsewhere,
    })
  })

  it('G12 accepts a push address that names the same repository', async () => {
    at.sample.git('config', 'remote.origin.pushurl', `file://${at.sample.origin}/`)
    expect((await runPreflight(at.sample)).problem).toBeNull()
  })

  it('refuses a detached HEAD', async () => {
    at.sample.git('checkout', '--quiet', '--detach')
    await expectPreflightStop(at.sample, {
      error_class: 'wrong_branch',
      fix: 'switch_to_main',
      exit: 2,
    })
  })

  it('refuses a commit without the file of the next action', async () => {
    at.sample.git('rm', '--quiet', 'docs/OPENCLAW_NEXT.md')
    at.sample.commit('No file')
    await expectPreflightStop(at.sample, {
      error_class: 'next_action_invalid',
      fix: 'set_next_action',
      exit: 2,
    })
  })
})
