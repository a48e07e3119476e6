import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { deflateSync } from 'node:zlib'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { checkedFile } from '#ops/platform/git/checked-objects'
import { exportChecked } from '#ops/platform/git/export-checked'
import { hostGit } from '#ops/platform/git/host-git'

let dir: string
let repo: string
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@localhost', ...args], {
    cwd: repo,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: dir },
  }).trim()
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'export-checked-'))
  repo = join(dir, 'clone')
  execFileSync('git', ['init', '--quiet', repo])
  writeFileSync(join(repo, '.gitignore'), 'kept.txt\n')
  writeFileSync(join(repo, '.gitattributes'), '*.txt text eol=crlf export-ignore\n')
  writeFileSync(join(repo, 'kept.txt'), 'one\ntwo\n')
  writeFileSync(join(repo, 'run.sh'), 'true\n')
  chmodSync(join(repo, 'run.sh'), 0o755)
  symlinkSync('run.sh', join(repo, 'link'))
  git('add', '--all', '--force')
  git('commit', '--quiet', '-m', 'größer')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const exported = async (): Promise<void> =>
  await exportChecked(
    repo,
    { sha: git('rev-parse', 'HEAD'), folder: join(dir, 'out') },
    await hostGit(repo),
  )
/** Another content under the name of an object, as the owner of the clone can put it there. */
const replaceObject = (id: string, kind: string, content: string): void => {
  const path = join(repo, '.git', 'objects', id.slice(0, 2), id.slice(2))
  rmSync(path)
  writeFileSync(
    path,
    deflateSync(
      Buffer.concat([Buffer.from(`${kind} ${Buffer.byteLength(content)}\0`), Buffer.from(content)]),
    ),
  )
}

it('writes a commit byte for byte, whatever its attributes and ignore rules say', async () => {
  await exported()
  expect(readFileSync(join(dir, 'out', 'kept.txt'), 'utf8')).toBe('one\ntwo\n')
})

it('refuses a file whose object was changed in the clone', async () => {
  replaceObject(git('rev-parse', 'HEAD:run.sh'), 'blob', 'evil\n')
  await expect(exported()).rejects.toMatchObject({
    errorClass: 'git_sync_failed',
    message: expect.stringMatching(/^The content of \w+ does not match its hash/) as string,
  })
})

it('refuses a commit whose own object was changed to name another tree', async () => {
  const head = git('rev-parse', 'HEAD')
  const text = execFileSync('git', ['cat-file', 'commit', head], { cwd: repo, encoding: 'utf8' })
  writeFileSync(join(repo, 'run.sh'), 'evil\n')
  git('add', '--all', '--force')
  replaceObject(head, 'commit', text.replace(/^tree \w+/, `tree ${git('write-tree')}`))
  await expect(
    exportChecked(repo, { sha: head, folder: join(dir, 'out') }, await hostGit(repo)),
  ).rejects.toMatchObject({
    errorClass: 'git_sync_failed',
    message: expect.stringMatching(/^The commit object of \w+ does not match its hash/) as string,
  })
})

it('reads a file of the top folder only when it matches the hash of the commit', async () => {
  const read = async (name: string): Promise<string | null> =>
    await checkedFile(repo, { sha: git('rev-parse', 'HEAD'), name }, await hostGit(repo))
  expect([await read('run.sh'), await read('no.sh')]).toEqual(['true\n', null])
  const [file, tree] = [git('rev-parse', 'HEAD:run.sh'), git('rev-parse', 'HEAD^{tree}')]
  replaceObject(file, 'blob', 'evil\n')
  await expect(read('run.sh')).rejects.toMatchObject({
    errorClass: 'git_sync_failed',
    message: expect.stringMatching(/^The file run.sh of \w+ does not match its hash/) as string,
  })
  replaceObject(tree, 'tree', '')
  await expect(read('run.sh')).rejects.toMatchObject({
    errorClass: 'git_sync_failed',
    message: expect.stringMatching(/^The top folder of \w+ does not match its hash/) as string,
  })
})
