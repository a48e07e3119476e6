import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { exportCommit } from '#ops/platform/git/export-commit'

const dir = mkdtempSync(join(tmpdir(), 'export-commit-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

it('exports a commit byte for byte: no attribute of it changes a file or leaves one out', async () => {
  const [repo, out] = [join(dir, 'clone'), join(dir, 'exported')]
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: repo,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: dir },
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim()
  const files = {
    'run.sh': 'echo one\n',
    'page.txt': 'two\n',
    'id.c': '$Id$\n',
    'left-out': 'three\n',
    '.gitattributes':
      '*.sh text eol=crlf\n*.txt working-tree-encoding=UTF-16LE\n*.c ident\nleft-out export-ignore\n* filter=other\n',
  }
  mkdirSync(repo)
  git('init', '--quiet')
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(dir, 'blob'), text)
    git(
      'update-index',
      '--add',
      '--cacheinfo',
      `100644,${git('hash-object', '-w', '--no-filters', join(dir, 'blob'))},${name}`,
    )
  }
  git('config', 'filter.other.smudge', 'tr a-z A-Z')
  const tree = git('write-tree')
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@localhost']
  const sha = git(...identity, 'commit-tree', '-m', 'One', tree)
  await exportCommit(repo, { sha, folder: out }, {})
  expect(
    Object.fromEntries(
      readdirSync(out).map((name) => [name, readFileSync(join(out, name), 'utf8')]),
    ),
  ).toEqual(files)
})
