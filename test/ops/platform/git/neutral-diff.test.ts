import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { configValues } from '#ops/platform/git/config-values'
import { sweepWorktrees } from '#ops/platform/git/linked-worktree'
import { withSeparateTree } from '#ops/platform/git/separate-tree'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import { lsRemote } from '#ops/platform/git/remote'
import { git } from '#ops/platform/git/run-git'
import { commitOf } from '#ops/platform/git/commits'

let root: string
let repo: string
const run = (...args: string[]): string =>
  execFileSync('git', args, {
    cwd: repo,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  }).trimEnd()
const commit = (): string => {
  run('add', '--all')
  run('-c', 'user.name=T', '-c', 'user.email=t@localhost', 'commit', '--quiet', '-m', 'x')
  return run('rev-parse', 'HEAD')
}
const write = (name: string, content: string | Buffer): void =>
  writeFileSync(join(repo, name), content)

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'git-test-')))
  repo = join(root, 'repo')
  execFileSync('git', ['init', '--quiet', '--initial-branch=main', repo])
})
afterEach(() => rmSync(root, { recursive: true, force: true, maxRetries: 3 }))

describe('the diff of a review', () => {
  const digest = (base: string, head: string) =>
    withNeutralGit(repo, (neutral) => neutral.diffDigest(base, head))

  it('is the same under every configuration and attribute, and runs no program of the repository', async () => {
    write('a.js', 'one\ntwo\nthree\nfour\nfive\n')
    const base = commit()
    write('a.js', 'one\n2\nthree\nfour\nfive\n')
    write('b.js', 'one\ntwo\nthree\nfour\nfive\n')
    const head = commit()
    const plain = await digest(base, head)
    const ran = join(root, 'ran')
    for (const [name, value] of [
      ['diff.external', `touch ${ran}`],
      ['diff.x.textconv', `touch ${ran};cat`],
      ['diff.noprefix', 'true'],
      ['diff.context', '0'],
      ['diff.algorithm', 'patience'],
      ['diff.renames', 'copies'],
      ['color.ui', 'always'],
      ['diff.orderFile', '/dev/null'],
    ] as const)
      run('config', name, value)
    write('.git/info/attributes', '*.js diff=x binary\n')
    expect(await digest(base, head)).toBe(plain)
    expect(existsSync(ran)).toBe(false)
  })

  it('names every changed file with its kind and counts, and does not hide one behind a rename', async () => {
    write('kept.txt', 'a\n')
    write('moved.txt', 'b\n')
    write('gone.txt', 'c\n')
    write('link', 'd\n')
    const base = commit()
    write('kept.txt', 'a\nmore\n')
    run('mv', 'moved.txt', 'naïve "name"\t.txt')
    unlinkSync(join(repo, 'gone.txt'))
    unlinkSync(join(repo, 'link'))
    symlinkSync('kept.txt', join(repo, 'link'))
    write('new.bin', Buffer.from([0, 1, 2]))
    const head = commit()
    const files = await withNeutralGit(repo, (neutral) => neutral.changedFiles(base, head))
    expect(
      Object.fromEntries(
        files.map(({ path, status, binary, additions, deletions }) => [
          path,
          `${status} ${binary} ${additions} ${deletions}`,
        ]),
      ),
    ).toEqual({
      'kept.txt': 'modified false 1 0',
      'moved.txt': 'deleted false 0 1',
      'naïve "name"\t.txt': 'added false 1 0',
      'gone.txt': 'deleted false 0 1',
      link: 'type_changed false 1 1',
      'new.bin': 'added true 0 0',
    })
  })

  it('is the true one although a replace ref shows another', async () => {
    write('a.txt', 'a\n')
    const base = commit()
    write('a.txt', 'bad\n')
    const head = commit()
    const before = await digest(base, head)
    run('replace', head, base)
    expect(await digest(base, head)).toBe(before)
    expect(await commitOf(repo, 'HEAD')).toBe(head)
  })
})

describe('git as HQ calls it', () => {
  it('is not affected by the variables of its caller', async () => {
    write('a.txt', 'a\n')
    const head = commit()
    process.env['GIT_DIR'] = '/nowhere'
    try {
      expect((await git(repo, ['rev-parse', 'HEAD'])).stdout.trim()).toBe(head)
    } finally {
      delete process.env['GIT_DIR']
    }
  })

  it('takes no revision for an option', async () => {
    write('a.txt', 'a\n')
    commit()
    expect(await commitOf(repo, '--help')).toBeNull()
    await expect(
      lsRemote(repo, {
        remote: `--upload-pack=touch ${join(root, 'ran')}`,
        refs: ['refs/heads/main'],
      }),
    ).rejects.toMatchObject({ errorClass: 'remote_unreachable' })
    expect(existsSync(join(root, 'ran'))).toBe(false)
  })

  it('runs no hook of the repository when it makes a tree, and removes that also when the work fails', async () => {
    write('a.txt', 'a\n')
    const head = commit()
    writeFileSync(
      join(repo, '.git', 'hooks', 'post-checkout'),
      `#!/bin/sh\ntouch ${join(root, 'ran')}\n`,
      { mode: 0o755 },
    )
    let folder = ''
    await expect(
      withSeparateTree({ repo, commit: head }, (made) => {
        folder = made
        expect(readdirSync(made)).toContain('a.txt')
        return Promise.reject(new Error('no'))
      }),
    ).rejects.toThrow('no')
    expect(existsSync(join(root, 'ran'))).toBe(false)
    expect(existsSync(folder)).toBe(false)
    expect(run('worktree', 'list', '--porcelain')).not.toContain(folder)
  })

  it('sweeps the worktrees of a killed process and leaves those of people', async () => {
    write('a.txt', 'a\n')
    const head = commit()
    const [left, own] = [join(root, 'openclaw-worktree-abcdef'), join(root, 'mine')]
    run('worktree', 'add', '--quiet', '--detach', left, head)
    run('worktree', 'add', '--quiet', '--detach', own, head)
    expect(await sweepWorktrees(repo)).toEqual([left])
    expect([existsSync(left), existsSync(own)]).toEqual([false, true])
  })

  it('shows every scope of a setting, with where it comes from', async () => {
    run('config', 'core.hooksPath', '.githooks')
    const values = await configValues(repo, 'core.hooksPath', {
      GIT_CONFIG_COUNT: '1',
      GIT_CONFIG_KEY_0: 'core.hooksPath',
      GIT_CONFIG_VALUE_0: 'x',
    })
    expect(values.map(({ scope, value }) => `${scope} ${value}`)).toEqual([
      'local .githooks',
      'command x',
    ])
  })
})
