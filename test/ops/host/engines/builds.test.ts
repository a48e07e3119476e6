import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { projectConfig } from '#shared/config'
import { runCommand } from '#ops/base/process/command'
import { readHostSettings } from '#ops/core/config/settings-files'
import { composeEngine } from '#ops/host/engines/registry'
import { isKept, keepWritten, writtenFiles } from '#ops/host/engines/common/written-files'
import { hostPaths, type HostPaths } from '#ops/base/paths/paths'

let dir: string
let paths: HostPaths
const git = (...args: string[]): string =>
  execFileSync('git', ['-c', 'user.name=T', '-c', 'user.email=t@localhost', ...args], {
    cwd: paths.root,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: dir },
  }).trim()
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'builds-'))
  paths = hostPaths({
    OPENCLAW_ROOT: join(dir, 'clone'),
    OPENCLAW_ETC: join(dir, 'etc'),
    OPENCLAW_STATE: join(dir, 'state'),
  })
  mkdirSync(paths.root)
  git('init', '--quiet')
  writeFileSync(join(paths.root, 'compose.yaml'), 'services: {}\n')
  git('add', '--all')
  git('commit', '--quiet', '-m', 'one')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const build = (script: string) => {
  const config = projectConfig.parse({
    schema_version: 1,
    project: 'shop',
    engine: 'compose',
    tests: [{ name: 'unit', argv: ['true'], report: { format: 'junit', path: 'r.xml' } }],
    build: [{ name: 'make', argv: ['sh', '-c', script] }],
  })
  const signal = new AbortController().signal
  return composeEngine.build(
    { paths, settings: readHostSettings(paths), config, sha: git('rev-parse', 'HEAD') },
    {
      signal,
      dir,
      log: () => undefined,
      run: (argv, { timeLimitSeconds = 60, ...rest }) =>
        runCommand(argv, { ...rest, signal, timeLimitSeconds }),
    },
  )
}

it('keeps what a build makes, beside a compose file as it was reviewed', async () => {
  const { folder } = await build('echo made > made.txt')
  expect([
    existsSync(join(folder, 'made.txt')),
    readFileSync(join(folder, 'compose.yaml'), 'utf8'),
  ]).toEqual([true, 'services: {}\n'])
})

it.each([
  ['changes the compose file', 'echo "# more" >> compose.yaml'],
  [
    'replaces it by another one',
    'rm compose.yaml; echo "services: {web: {privileged: true}}" > other; ln -s other compose.yaml',
  ],
  ['removes it', 'rm compose.yaml'],
])('refuses a build that %s', async (_what, script) => {
  await expect(build(script)).rejects.toMatchObject({
    errorClass: 'console_build_failed',
    message:
      'A build changed compose.yaml. What containers may do must stay as it was reviewed. The ' +
      'running version is untouched.',
  })
})

it('exports a commit without its submodule, and with a message in another encoding', async () => {
  git('update-index', '--add', '--cacheinfo', `160000,${git('rev-parse', 'HEAD')},vendor/lib`)
  writeFileSync(join(paths.root, 'größe.txt'), 'x')
  git('add', 'größe.txt')
  execFileSync(
    'git',
    [
      '-c',
      'user.name=T',
      '-c',
      'user.email=t@localhost',
      '-c',
      'i18n.commitEncoding=ISO-8859-1',
      'commit',
      '--quiet',
      '-F',
      '-',
    ],
    {
      cwd: paths.root,
      input: Buffer.from('Gr\xf6\xdfe', 'latin1'),
      env: { PATH: process.env['PATH'], HOME: dir },
    },
  )
  const { folder } = await build('true')
  expect(readFileSync(join(folder, 'größe.txt'), 'utf8')).toBe('x')
})

it('L2 neither replaces nor forgets a version into which its service wrote', async () => {
  const { folder } = await build('mkdir dist && echo built > dist/x && echo c > __pycache__')
  expect(writtenFiles(folder)).toEqual([])
  mkdirSync(join(folder, 'lib', '__pycache__'), { recursive: true })
  writeFileSync(join(folder, 'lib', '__pycache__', 'x.pyc'), 'again')
  expect([writtenFiles(folder), isKept(folder)]).toEqual([[], false])
  mkdirSync(join(folder, 'data'))
  writeFileSync(join(folder, 'data', 'db.json'), 'precious')
  writeFileSync(join(folder, 'dist', 'x'), 'altered')
  expect(writtenFiles(folder)?.toSorted()).toEqual(['data/db.json', 'dist/x'])
  const again = await build('true')
  expect(again.folder).not.toBe(folder)
  expect(readFileSync(join(folder, 'data', 'db.json'), 'utf8')).toBe('precious')
  rmSync(`${folder}.built`)
  expect([writtenFiles(folder), isKept(folder)]).toEqual([null, false])
  keepWritten(folder, ['data/db.json'])
  expect(isKept(folder)).toBe(true)
})

it('B5 builds from the content of files in Git LFS, or not at all', async () => {
  const content = 'the real logo\n'
  const oid = createHash('sha256').update(content).digest('hex')
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`
  writeFileSync(join(paths.root, '.gitattributes'), '*.png filter=lfs diff=lfs merge=lfs -text\n')
  writeFileSync(join(paths.root, 'logo.png'), pointer)
  git('add', '--all')
  git('commit', '--quiet', '-m', 'a pointer')
  const missing = {
    errorClass: 'lfs_content_missing',
    message: expect.stringContaining(
      '1 of 1 files in Git LFS are not here, first logo.png',
    ) as string,
  }
  await expect(build('true')).rejects.toMatchObject(missing)
  const store = join(paths.root, '.git', 'lfs', 'objects', oid.slice(0, 2), oid.slice(2, 4))
  mkdirSync(store, { recursive: true })
  writeFileSync(join(store, oid), 'another logo\n')
  await expect(build('true')).rejects.toMatchObject(missing)
  writeFileSync(join(store, oid), content)
  const { folder } = await build('cp logo.png built.png')
  expect(readFileSync(join(folder, 'built.png'), 'utf8')).toBe(content)
})
