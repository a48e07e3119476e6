import { execFileSync } from 'node:child_process'
import {
  chownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { setVariables } from '#ops/base/env'
import { topLevel } from '#ops/platform/git/work-tree'
import { liesIn, repositoryFolders, searchPathOutside } from '#ops/platform/git/repository-folders'
import { problemFrom } from '../../../support/step-context.ts'

let root: string
let main: string
let linked: string
const git = (cwd: string, ...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@localhost', ...args], {
    cwd,
    encoding: 'utf8',
  })

beforeAll(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'folders-')))
  main = join(root, 'main')
  linked = join(root, 'linked tree')
  git(root, 'init', '--quiet', 'main')
  git(main, 'commit', '--quiet', '--allow-empty', '-m', 'One')
  git(main, 'worktree', 'add', '--quiet', '--detach', linked)
  mkdirSync(join(main, 'bin'))
  writeFileSync(join(main, 'bin', 'git'), '')
  mkdirSync(join(root, 'outside'))
  symlinkSync(join(root, 'outside'), join(main, 'leads-out'))
  symlinkSync(join(main, 'leads-out'), join(root, 'through'))
  symlinkSync(join(main, 'bin'), join(root, 'leads-in'))
  symlinkSync('loop', join(root, 'loop'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

it('finds the working trees and the folder of git, from each of them', () => {
  const all = [join(main, '.git'), linked, main].toSorted()
  for (const from of [main, join(main, 'bin'), linked])
    expect(repositoryFolders(from).toSorted()).toEqual(all)
  expect(repositoryFolders(join(root, 'outside'))).toEqual([join(root, 'outside')])
  git(root, 'clone', '--quiet', '--bare', main, 'bare.git')
  const tree = join(root, 'of-bare')
  git(join(root, 'bare.git'), 'worktree', 'add', '--quiet', '--detach', tree)
  expect(repositoryFolders(tree).toSorted()).toEqual([join(root, 'bare.git'), tree])
})

it('follows every link on the way to a path', () => {
  const inside = [
    main,
    join(main, 'bin', 'git'),
    join(main, 'leads-out'),
    join(root, 'through', 'x'),
    join(root, 'leads-in', 'git'),
    join(root, 'outside', '..', 'main', 'bin'),
  ]
  for (const path of inside) expect(liesIn(path, [main]), path).toBe(true)
  const outside = [join(root, 'outside'), join(root, 'main-two'), join(root, 'loop', 'x'), root]
  for (const path of outside) expect(liesIn(path, [main]), path).toBe(false)
})

it('searches programs in no relative folder and in none that a change can fill', () => {
  const before = process.env['PATH'] ?? ''
  const kept = join(root, 'outside')
  const path = [join(main, 'bin'), '', '.', 'bin', join(root, 'leads-in'), kept, join(linked, 'x')]
  try {
    setVariables({ PATH: path.join(delimiter) })
    expect(searchPathOutside(linked)).toBe(kept)
    setVariables({ PATH: join(main, 'bin') })
    // An empty PATH would mean the working directory.
    expect(searchPathOutside(main).split(delimiter)).toContain('/usr/bin')
  } finally {
    setVariables({ PATH: before })
  }
})

it.skipIf(process.getuid?.() !== 0)(
  'B3 a repository of another user is refused as one, without a command to type',
  async () => {
    const theirs = join(root, 'theirs')
    mkdirSync(join(theirs, 'sub'), { recursive: true })
    git(theirs, 'init', '--quiet')
    const refusal = (folder: string) => problemFrom(() => topLevel(folder))
    expect(await topLevel(join(theirs, 'sub'))).toBe(theirs)
    for (const owned of [join(theirs, '.git'), theirs]) {
      chownSync(owned, 1234, 1234)
      const { errorClass, message, evidence } = await refusal(join(theirs, 'sub'))
      expect([errorClass, evidence]).toEqual(['repository_of_another_user', []])
      expect(message).toContain(`${owned} belongs to the user with the id 1234`)
      expect(message).not.toContain('git config')
    }
    const { errorClass, message } = await refusal(join(root, 'outside'))
    expect([errorClass, message]).toEqual([
      'not_a_repository',
      expect.stringContaining(`${join(root, 'outside')} is not in a working tree of git`),
    ])
  },
)

it.each(['missing', 'file', 'file/below'])('refuses %s, which is not a folder', async (name) => {
  const root = mkdtempSync(join(tmpdir(), 'no-folder-'))
  try {
    writeFileSync(join(root, 'file'), '')
    await expect(topLevel(join(root, name))).rejects.toMatchObject({
      errorClass: 'not_a_repository',
      message: expect.stringContaining('is not a folder, or does not exist') as string,
    })
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
})
