import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { statementRef } from '#shared/statement'
import { reviewRef } from '#shared/verdict'
import { expectStop } from '../../../support/ship-stop.ts'
import { approve, type Script } from '../../../support/responses-api.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'

const at = shipFixture({
  prepare: ({ sample }) =>
    sample.commit('Second', { 'app.mjs': 'export const add = (a, b) => b + a\n' }),
})

/** Approves after something happened while the reviewer was at it. */
const meanwhile =
  (action: () => void): Script =>
  (...request) => {
    action()
    return approve(...request)
  }
const hook = (where: string, name: string, body: string): void => {
  writeFileSync(join(where, 'hooks', name), `#!/bin/sh\n${body}\n`)
  chmodSync(join(where, 'hooks', name), 0o755)
}
/** A commit that somebody else pushes to origin/main. */
const pushTheirs = (): string => {
  const [tree, parent] = [
    at.sample.git('rev-parse', 'HEAD^{tree}'),
    at.sample.git('rev-parse', 'origin/main'),
  ]
  const theirs = at.sample.git('commit-tree', tree, '-p', parent, '-m', 'Theirs')
  at.sample.git('push', '--quiet', 'origin', `${theirs}:refs/heads/main`)
  return theirs
}
const last = { step: 'check_fail_closed_push', exit: 2 } as const

describe('the last check before the push', () => {
  it('refuses a commit that was added during the review', async () => {
    at.api.script(meanwhile(() => at.sample.commit('Third', { 'third.txt': 'x' })))
    await expectStop(at.sample, { ...last, error_class: 'head_moved', fix: 'ship_again' })
  })

  it('refuses a file that was changed during the review', async () => {
    at.api.script(meanwhile(() => at.sample.write('app.mjs', 'changed')))
    await expectStop(at.sample, { ...last, error_class: 'dirty_tree', fix: 'commit_changes' })
  })

  it('refuses a remote that moved, and leaves it where it moved to', async () => {
    let theirs = ''
    at.api.script(
      meanwhile(() => {
        theirs = pushTheirs()
      }),
    )
    await expectStop(at.sample, {
      ...last,
      error_class: 'remote_moved',
      fix: 'integrate_remote',
      remoteMayMove: true,
    })
    const refs = at.sample.remoteRefs()
    expect(refs).toEqual({ 'refs/heads/main': theirs })
  })

  it('refuses hooks that were turned off during the ship', async () => {
    at.api.script(meanwhile(() => at.sample.git('config', 'core.hooksPath', '/dev/null')))
    await expectStop(at.sample, { ...last, error_class: 'hook_bypass', fix: 'restore_git_hooks' })
  })
})

describe('a test of the change that writes into the repository', () => {
  const reaching = (code: string): void => {
    at.sample.commit('Reaches out', {
      'app.test.mjs':
        `import { execFileSync } from 'node:child_process'\n` +
        `import { readFileSync, writeFileSync } from 'node:fs'\n` +
        `import { test } from 'node:test'\n` +
        `test('reaches out', () => { ${code} })\n`,
    })
  }

  it('stops its own ship when it makes origin lead elsewhere', async () => {
    const away = `${at.sample.origin}.theirs`
    at.sample.git('clone', '--quiet', '--bare', at.sample.origin, away)
    const { repo } = at.sample
    reaching(
      `execFileSync('git', ${JSON.stringify(['-C', repo, 'config', 'remote.origin.url', away])})`,
    )
    const { result } = await expectStop(at.sample, {
      ...last,
      error_class: 'remote_moved',
      fix: 'integrate_remote',
      detail: 'configuration of the remote origin',
    })
    expect(result.steps[1]).toMatchObject({ name: 'tests', status: 'passed' })
  })

  it('stops its own ship when it names another reviewer, who gets no request', async () => {
    const settings = join(at.sample.home, 'settings.json')
    const own = JSON.stringify({
      id: 'loopback',
      label: 'Loopback',
      base_url: 'http://127.0.0.1:9/v1',
      env_key: 'REVIEW_KEY',
      scripted: true,
    })
    reaching(
      `const all = JSON.parse(readFileSync(${JSON.stringify(settings)}, 'utf8')); ` +
        `all.review.providers = [${own}]; writeFileSync(${JSON.stringify(settings)}, JSON.stringify(all))`,
    )
    await expectStop(at.sample, {
      ...last,
      error_class: 'verdict_mismatch',
      fix: 'ship_again',
      detail: 'the accepted reviewers',
    })
  })
})

describe('the push', () => {
  it('pushes nothing, not even the verdict, when a hook of the remote refuses', async () => {
    hook(
      at.sample.origin,
      'pre-receive',
      'grep -q refs/heads/ || exit 0; echo "closed for the season" >&2; echo "come back" >&2; exit 1',
    )
    const { dir, result } = await expectStop(at.sample, {
      step: 'review_finish',
      exit: 1,
      error_class: 'push_rejected',
      fix: 'allow_push',
      detail: 'origin refused the push: pre-receive hook declined: closed for the season.',
    })
    expect(readFileSync(join(dir, 'review_finish.log'), 'utf8')).toContain('closed for the season')
    expect(result.remote_sha).toBe(at.sample.git('rev-parse', 'origin/main'))
  })

  it('pushes all refs or none: a remote that refuses the verdict gets no commit', async () => {
    hook(
      at.sample.origin,
      'update',
      'case "$1" in refs/openclaw/*/probe-*) ;; refs/openclaw/*) exit 1;; esac',
    )
    await expectStop(at.sample, {
      step: 'review_finish',
      exit: 1,
      error_class: 'push_rejected',
      fix: 'allow_push',
    })
  })

  it('pushes all refs or none: a statement that lies there already keeps the commit out', async () => {
    const head = at.sample.git('rev-parse', 'HEAD')
    const ref = statementRef('tests', head)
    const blob = at.sample.git('rev-parse', 'HEAD:app.mjs')
    at.sample.git('push', '--quiet', 'origin', `${blob}:${ref}`)
    await expectStop(at.sample, {
      step: 'review_finish',
      exit: 1,
      error_class: 'push_rejected',
      fix: 'allow_push',
    })
    expect(at.sample.remoteRefs()).toMatchObject({ [ref]: blob })
    expect(Object.keys(at.sample.remoteRefs())).not.toContain(reviewRef(head))
  })

  it('G13 is no PASS when origin says that it set a rule aside; the next ship says so too', async () => {
    const [rule, first] = [
      'Bypassed rule violations for refs/heads/main:',
      '- Changes must be made',
    ]
    hook(
      at.sample.origin,
      'post-receive',
      `grep -q refs/heads/ && printf '%s\\n' '${rule}' '' '${first} through a pull request.'`,
    )
    const { result, exitCode } = await at.sample.ship()
    const head = at.sample.git('rev-parse', 'HEAD')
    expect([exitCode, result]).toMatchObject([
      2,
      {
        overall: 'FAIL',
        step_failed: 'review_finish',
        error_class: 'push_bypassed_rule',
        next_auto_fix: 'follow_origin_rules',
        remote_sha: head,
      },
    ])
    expect(result.steps.at(-1)?.detail).toContain(`${rule} ${first} through a pull request.`)
    expect(at.sample.remoteRefs()).toMatchObject({ 'refs/heads/main': head })
    expect(Object.keys(at.sample.remoteRefs())).toContain(reviewRef(head))
    rmSync(join(at.sample.origin, 'hooks', 'post-receive'))
    await expectStop(at.sample, {
      step: 'preflight',
      exit: 2,
      error_class: 'nothing_to_ship',
      fix: 'commit_changes',
      detail: `${result.run_id} pushed it by an exception from a rule of origin`,
    })
  })

  it('G13 is refused before the review when origin sets a rule aside for a verdict', async () => {
    hook(at.sample.origin, 'post-receive', 'echo "warning: branch protection bypassed"')
    const calls = at.api.calls()
    await expectStop(at.sample, {
      step: 'preflight',
      exit: 2,
      error_class: 'push_bypassed_rule',
      fix: 'follow_origin_rules',
      detail: 'branch protection bypassed',
    })
    expect(at.api.calls()).toBe(calls)
  })

  it('B7 runs the pre-push hook of the repository, and says that it was this hook that refused', async () => {
    const say = 'echo "not on a Friday" >&2; echo "ask again on Monday" >&2; exit 1'
    hook(join(at.sample.repo, '.git'), 'pre-push', say)
    const { dir } = await expectStop(at.sample, {
      step: 'review_finish',
      exit: 2,
      error_class: 'push_hook_refused',
      fix: 'satisfy_push_hook',
      detail: 'hook of this repository refused the push: not on a Friday.',
    })
    expect(readFileSync(join(dir, 'review_finish.log'), 'utf8')).toContain('not on a Friday')
  })

  it('changes nothing when another laptop shipped the same commit at the same moment', async () => {
    hook(
      join(at.sample.repo, '.git'),
      'pre-push',
      'read -r _ sha _ && verdict=$(echo theirs | git hash-object -w --stdin) && git push ' +
        '--quiet --no-verify origin "$sha:refs/heads/main" "$verdict:refs/openclaw/reviews/$sha"',
    )
    const { result } = await at.sample.ship()
    expect(result).toMatchObject({
      overall: 'FAIL',
      step_failed: 'review_finish',
      error_class: 'remote_moved',
      next_auto_fix: 'integrate_remote',
      pushed_sha: null,
      remote_sha: result.git_head,
    })
    expect(
      at.sample.git(
        '--git-dir',
        at.sample.origin,
        'cat-file',
        'blob',
        reviewRef(result.git_head ?? ''),
      ),
    ).toBe('theirs')
  })

  it('reports an unconfirmed push, which the next ship confirms without a second review', async () => {
    // The remote vanishes right after it took the push, and comes back later.
    const away = `${at.sample.origin}.away`
    hook(
      at.sample.origin,
      'post-receive',
      `grep -q refs/heads/ || exit 0; mv '${at.sample.origin}' '${away}'`,
    )
    const { result } = await at.sample.ship()
    expect(result).toMatchObject({
      overall: 'FAIL',
      step_failed: 'review_finish',
      error_class: 'push_unconfirmed',
      next_auto_fix: 'read_remote_again',
      pushed_sha: null,
    })
    renameSync(away, at.sample.origin)
    rmSync(join(at.sample.origin, 'hooks', 'post-receive'))
    // As if an older HQ had pushed: a statement is missing, and the next ship brings it.
    const pushed = at.sample.remoteRefs()
    const missing = statementRef('review', result.git_head ?? '')
    at.sample.git('--git-dir', at.sample.origin, 'update-ref', '-d', missing)

    const calls = at.api.calls()
    const again = await at.sample.ship()
    expect(again.result).toMatchObject({
      overall: 'PASS',
      git_head: result.git_head,
      pushed_sha: result.git_head,
      remote_sha: result.git_head,
      verdict_id: result.verdict_id,
      tests: result.tests,
      since_sha: result.since_sha,
    })
    expect(again.result.steps.find(({ name }) => name === 'review_auto')?.detail).toContain(
      result.run_id,
    )
    expect(at.api.calls()).toBe(calls)
    expect(at.sample.remoteRefs()).toEqual(pushed)
    await expectStop(at.sample, {
      step: 'preflight',
      exit: 2,
      error_class: 'nothing_to_ship',
      fix: 'commit_changes',
    })
  })
})
