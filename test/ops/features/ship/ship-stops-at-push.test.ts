import { chmodSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { activeShip } from '#ops/features/ship/state/ship-lock'
import { walkVerdicts } from '#ops/core/trust/review-chain'
import { reviewRef } from '#shared/verdict'
import { makeShipRepo, until, type ShipRepo } from '../../../support/ship-repo.ts'
import { expectStop } from '../../../support/ship-stop.ts'
import {
  approve,
  startResponsesApi,
  type ResponsesApi,
  type Script,
} from '../../../support/responses-api.ts'

let api: ResponsesApi
let sample: ShipRepo
beforeAll(async () => {
  api = await startResponsesApi()
})
afterAll(() => api.close())
beforeEach(() => {
  sample = makeShipRepo(api.base_url)
  sample.commit('Second', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
  api.script(approve)
})
afterEach(() => sample.remove())

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
    sample.git('rev-parse', 'HEAD^{tree}'),
    sample.git('rev-parse', 'origin/main'),
  ]
  const theirs = sample.git('commit-tree', tree, '-p', parent, '-m', 'Theirs')
  sample.git('push', '--quiet', 'origin', `${theirs}:refs/heads/main`)
  return theirs
}
const last = { step: 'check_fail_closed_push', exit: 2 } as const

describe('the last look stops a ship', () => {
  it('when a commit was added while the change was reviewed', async () => {
    api.script(meanwhile(() => sample.commit('Third', { 'third.txt': 'x' })))
    await expectStop(sample, { ...last, error_class: 'head_moved', fix: 'ship_again' })
  })

  it('when a file was changed while the change was reviewed', async () => {
    api.script(meanwhile(() => sample.write('app.mjs', 'changed')))
    await expectStop(sample, { ...last, error_class: 'dirty_tree', fix: 'commit_changes' })
  })

  it('when the remote moved, and leaves it where it moved to', async () => {
    let theirs = ''
    api.script(
      meanwhile(() => {
        theirs = pushTheirs()
      }),
    )
    await expectStop(sample, {
      ...last,
      error_class: 'remote_moved',
      fix: 'integrate_remote',
      remoteMayMove: true,
    })
    const refs = sample.remoteRefs()
    expect(refs).toEqual({ 'refs/heads/main': theirs })
  })

  it('when hooks were turned off meanwhile', async () => {
    api.script(meanwhile(() => sample.git('config', 'core.hooksPath', '/dev/null')))
    await expectStop(sample, { ...last, error_class: 'hook_bypass', fix: 'restore_git_hooks' })
  })
})

describe('a test of the change that reaches into the repository stops its own ship', () => {
  const reaching = (code: string): void => {
    sample.commit('Reaches out', {
      'app.test.mjs': `import { execFileSync } from 'node:child_process'\nimport { readFileSync, writeFileSync } from 'node:fs'\nimport { test } from 'node:test'\ntest('reaches out', () => { ${code} })\n`,
    })
  }

  it('when it makes origin lead to another place', async () => {
    const away = `${sample.origin}.theirs`
    sample.git('clone', '--quiet', '--bare', sample.origin, away)
    reaching(`execFileSync('git', ['config', 'remote.origin.url', ${JSON.stringify(away)}])`)
    const { result } = await expectStop(sample, {
      ...last,
      error_class: 'remote_moved',
      fix: 'integrate_remote',
      detail: 'where origin leads',
    })
    expect(result.steps[1]).toMatchObject({ name: 'tests', status: 'passed' })
  })

  it('when it names a reviewer of its own, who is not asked', async () => {
    const settings = join(sample.home, 'settings.json')
    const own = JSON.stringify({
      id: 'loopback',
      label: 'Loopback',
      base_url: 'http://127.0.0.1:9/v1',
      env_key: 'REVIEW_KEY',
      scripted: true,
    })
    reaching(
      `const all = JSON.parse(readFileSync(${JSON.stringify(settings)}, 'utf8')); all.review.providers = [${own}]; writeFileSync(${JSON.stringify(settings)}, JSON.stringify(all))`,
    )
    await expectStop(sample, {
      ...last,
      error_class: 'verdict_mismatch',
      fix: 'ship_again',
      detail: 'who may review',
    })
  })
})

describe('the push', () => {
  it('is refused by a hook of the remote: class, its words, nothing pushed, not even the verdict', async () => {
    hook(sample.origin, 'pre-receive', 'echo "closed for the season" >&2; exit 1')
    const { dir, result } = await expectStop(sample, {
      step: 'review_finish',
      exit: 1,
      error_class: 'push_rejected',
      fix: 'allow_push',
    })
    expect(readFileSync(join(dir, 'review_finish.log'), 'utf8')).toContain('closed for the season')
    expect(result.remote_sha).toBe(sample.git('rev-parse', 'origin/main'))
  })

  it('takes all refs or none: a remote that refuses only the verdict gets no commit either', async () => {
    hook(sample.origin, 'update', 'case "$1" in refs/openclaw/*) exit 1;; esac')
    await expectStop(sample, {
      step: 'review_finish',
      exit: 1,
      error_class: 'push_rejected',
      fix: 'allow_push',
    })
  })

  it('runs the pre-push hook of the repository, and stops when that says no', async () => {
    hook(join(sample.repo, '.git'), 'pre-push', 'echo "not on a Friday" >&2; exit 1')
    const { dir } = await expectStop(sample, {
      step: 'review_finish',
      exit: 1,
      error_class: 'push_rejected',
      fix: 'allow_push',
    })
    expect(readFileSync(join(dir, 'review_finish.log'), 'utf8')).toContain('not on a Friday')
  })

  it('of a commit that another laptop shipped in the same moment took nothing, and says so', async () => {
    hook(
      join(sample.repo, '.git'),
      'pre-push',
      'read -r _ sha _ && verdict=$(echo theirs | git hash-object -w --stdin) && git push --quiet --no-verify origin "$sha:refs/heads/main" "$verdict:refs/openclaw/reviews/$sha"',
    )
    const { result } = await sample.ship()
    expect(result).toMatchObject({
      overall: 'FAIL',
      step_failed: 'review_finish',
      error_class: 'remote_moved',
      next_auto_fix: 'integrate_remote',
      pushed_sha: null,
      remote_sha: result.git_head,
    })
    expect(
      sample.git('--git-dir', sample.origin, 'cat-file', 'blob', reviewRef(result.git_head ?? '')),
    ).toBe('theirs')
  })

  it('that cannot be confirmed is its own class, and the next ship settles it without a second review', async () => {
    // The remote vanishes right after it took the push, and comes back later.
    const away = `${sample.origin}.away`
    hook(sample.origin, 'post-receive', `mv '${sample.origin}' '${away}'`)
    const { result } = await sample.ship()
    expect(result).toMatchObject({
      overall: 'FAIL',
      step_failed: 'review_finish',
      error_class: 'push_unconfirmed',
      next_auto_fix: 'read_remote_again',
      pushed_sha: null,
    })
    renameSync(away, sample.origin)
    rmSync(join(sample.origin, 'hooks', 'post-receive'))

    const calls = api.calls()
    const again = await sample.ship()
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
    expect(api.calls()).toBe(calls)
    await expectStop(sample, {
      step: 'preflight',
      exit: 2,
      error_class: 'nothing_to_ship',
      fix: 'commit_changes',
    })
  })
})

describe('the base of a review', () => {
  const question = (target: string) => ({
    repo: sample.origin,
    target,
    baseline: sample.git('rev-list', '--max-parents=0', 'HEAD'),
    acceptedProviders: [{ id: 'loopback', base_url: api.base_url }],
  })

  it('is the newest proven ancestor, so a commit that was pushed by hand is reviewed by the next ship', async () => {
    const first = await sample.ship()
    const reviewed = sample.git('rev-parse', 'HEAD')
    expect(first.result.overall).toBe('PASS')
    const byHand = sample.commit('By hand', { 'smuggled.txt': 'x\n' })
    sample.git('push', '--quiet', 'origin', 'main')
    expect(await walkVerdicts(question(byHand))).toMatchObject({ proven: false, commit: byHand })

    const head = sample.commit('On top', { 'third.txt': 'x\n' })
    let files: string[] = []
    api.script((bindings, request) => {
      files = bindings.files
      return approve(bindings, request)
    })
    const second = await sample.ship()
    expect(second.result).toMatchObject({ overall: 'PASS', since_sha: reviewed })
    expect(files.toSorted()).toEqual(['smuggled.txt', 'third.txt'])
    expect(await walkVerdicts(question(head))).toMatchObject({
      proven: true,
      chain: [{ head_sha: head }, { head_sha: reviewed }],
    })
  })

  it('makes a commit that is on main already reviewable: its verdict is added, main stays', async () => {
    await sample.ship()
    const byHand = sample.commit('By hand', { 'smuggled.txt': 'x\n' })
    sample.git('push', '--quiet', 'origin', 'main')
    expect((await sample.ship()).result).toMatchObject({
      overall: 'PASS',
      git_head: byHand,
      pushed_sha: byHand,
    })
    expect(Object.keys(sample.remoteRefs())).toContain(reviewRef(byHand))
  })

  it('is not moved by a verdict that was planted in the clone, nor by one of a provider that is not accepted', async () => {
    await sample.ship()
    const reviewed = sample.git('rev-parse', 'HEAD')
    const planted = sample.commit('Planted', { 'planted.txt': 'x\n' })
    sample.git('fetch', '--quiet', 'origin', `${reviewRef(reviewed)}:${reviewRef(planted)}`)
    sample.commit('On top', { 'third.txt': 'x\n' })
    expect((await sample.ship()).result).toMatchObject({ overall: 'PASS', since_sha: reviewed })
    expect(
      await walkVerdicts({
        ...question(reviewed),
        acceptedProviders: [{ id: 'loopback', base_url: 'https://elsewhere.example/v1' }],
      }),
    ).toMatchObject({ proven: false, commit: reviewed })
  })

  it('is never under a verdict that is not believed: such a commit is not shipped again, and says why', async () => {
    await sample.ship()
    sample.settings({
      provider: 'other',
      providers: [
        {
          id: 'other',
          label: 'Other',
          base_url: 'https://elsewhere.example/v1',
          env_key: 'REVIEW_KEY',
          scripted: false,
        },
      ],
    })
    await expectStop(sample, {
      step: 'preflight',
      exit: 2,
      error_class: 'nothing_to_ship',
      fix: 'commit_changes',
      detail: `its reviewer loopback at ${api.base_url} is not accepted`,
    })
  })

  it('is not a verdict that another key signed, so what that approved is reviewed again', async () => {
    const baseline = sample.git('rev-parse', 'origin/main')
    await sample.ship()
    for (const name of ['keys', 'ship_key.json'])
      rmSync(join(sample.home, name), { recursive: true })
    await expectStop(sample, {
      step: 'preflight',
      exit: 2,
      error_class: 'nothing_to_ship',
      fix: 'commit_changes',
      detail: 'its verdict is signed with a key that is not enrolled',
    })
    sample.commit('On top', { 'third.txt': 'x\n' })
    expect((await sample.ship()).result).toMatchObject({ overall: 'PASS', since_sha: baseline })
  })

  it('needs a key that nobody else can read, which is never replaced', async () => {
    await sample.ship()
    const file = join(sample.home, 'keys', 'ship_key.pem')
    const before = readFileSync(file, 'utf8')
    chmodSync(file, 0o644)
    sample.commit('On top', { 'third.txt': 'x\n' })
    await expectStop(sample, {
      step: 'preflight',
      exit: 1,
      error_class: 'config_invalid',
      fix: 'fix_configuration',
      detail: 'can be read by others',
    })
    expect(readFileSync(file, 'utf8')).toBe(before)
  })

  it('finds what a killed ship left, ends it, and goes on', async () => {
    let asked = false
    api.script(() => {
      asked = true
      return 'hang'
    })
    const running = sample.start()
    await until('the reviewer to be asked', () => asked)
    expect(await activeShip(sample.repo)).toBe(running.runId)
    const closed = new Promise((resolve) => {
      running.child.once('exit', resolve)
    })
    running.child.kill('SIGKILL')
    await closed
    expect(await activeShip(sample.repo)).toBeNull()
    expect(sample.leftovers(running.runId)).not.toEqual([])
    api.script(approve)
    const { result } = await sample.ship()
    expect(result.overall).toBe('PASS')
    expect(sample.leftovers(running.runId)).toEqual([])
    expect(existsSync(join(running.dir, 'ship_result.json'))).toBe(false)
    expect(existsSync(join(running.dir, 'manifest.json')), 'what has no result is no proof').toBe(
      false,
    )
    expect(existsSync(join(sample.repo, 'artifacts', 'ship', result.run_id, 'manifest.json'))).toBe(
      true,
    )
  })
})
