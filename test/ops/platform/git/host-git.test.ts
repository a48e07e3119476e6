import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { followedBranch, hostGit } from '#ops/platform/git/host-git'

let dir: string
let clone: string
const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: clone, encoding: 'utf8', env: { PATH: process.env['PATH'] } })
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'host-git-'))
  clone = join(dir, 'clone')
  execFileSync('git', ['init', '--quiet', clone])
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const filters = async (): Promise<string[]> =>
  Object.keys((await hostGit(clone)).config ?? {}).filter((name) => name.startsWith('filter.'))
const off = (name: string): string[] =>
  ['clean', 'smudge', 'process', 'required'].map((key) => `filter.${name}.${key}`)

describe('git on a host', () => {
  it('switches off a filter that was configured after an earlier call, also by another name', async () => {
    expect(await filters()).toEqual([])
    git('config', 'filter.one.smudge', 'false')
    expect(await filters()).toEqual(off('one'))
    git('config', 'filter.two.clean', 'false')
    expect((await filters()).toSorted()).toEqual([...off('one'), ...off('two')].toSorted())
    git('config', '--remove-section', 'filter.one')
    expect(await filters()).toEqual(off('two'))
  })

  it.each([
    ['include.path', ''],
    ['includeIf.gitdir:/.path', ''],
  ])('sees a filter that is added to a file named by %s', async (key) => {
    const more = join(dir, 'more')
    writeFileSync(more, '')
    git('config', key, more)
    expect(await filters()).toEqual([])
    writeFileSync(more, '[filter "more"]\n\tsmudge = false\n')
    expect(await filters()).toEqual(off('more'))
  })

  it('sees a filter of the configuration of one working tree', async () => {
    git('config', 'extensions.worktreeConfig', 'true')
    expect(await filters()).toEqual([])
    git('config', '--worktree', 'filter.tree.smudge', 'false')
    expect(await filters()).toEqual(off('tree'))
  })

  it('B1 follows the branch that is checked out, whatever tags and branches are called like it', async () => {
    const { signal } = new AbortController()
    const followed = (): Promise<string> => followedBranch(clone, signal)
    git('checkout', '--quiet', '-b', 'release/main')
    git('-c', 'user.name=T', '-c', 'user.email=t@t', 'commit', '-qm', 'One', '--allow-empty')
    for (const name of ['release/main', 'heads/release/main']) git('tag', name, 'HEAD')
    git('update-ref', 'refs/heads/heads/release/main', 'HEAD')
    expect(await followed()).toBe('release/main')
    git('checkout', '--quiet', '--detach')
    expect(await followed()).toBe('main')
  })
})
