import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { projectConfig } from '#shared/config'
import { runCommand } from '#ops/base/process/command'
import { readHostSettings } from '#ops/core/config/settings-files'
import { createReleaseBuilds } from '#ops/host/engines/builds'
import { markGreenBuild } from '#ops/host/engines/common/green-builds'
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

describe('L2 a folder that is kept for what a service wrote', () => {
  const daysAgo = (days: number): number => Date.now() / 1000 - days * 86_400
  /** A release folder with such a file; kept since then, or not yet noted. */
  const release = (name: string, keptDaysAgo?: number): string => {
    const folder = join(paths.builds, 'shop', name)
    mkdirSync(folder, { recursive: true })
    writeFileSync(join(folder, 'db.json'), 'precious')
    if (keptDaysAgo !== undefined) {
      keepWritten(folder, ['db.json'])
      utimesSync(`${folder}.kept`, daysAgo(keptDaysAgo), daysAgo(keptDaysAgo))
    }
    return folder
  }
  const prune = (busy: string): string[] =>
    createReleaseBuilds(() => [
      { ...composeEngine, folders: () => [{ folder: busy, busy: true }] },
    ]).prune(paths, 'shop')

  it('goes after 90 days, but neither one in use nor the newest three', () => {
    const [running, green] = [release('running', 400), release('green', 390)]
    const kept = [release('a', 89), release('b', 91), release('c', 300), release('d', 300)]
    const old = [release('e', 301), release('f', 380)]
    markGreenBuild(paths, {
      project: 'shop',
      sha: 'a'.repeat(40),
      folder: green,
      digest: 'b'.repeat(64),
      images: [],
    })
    // Its clock may be wrong: what it finds is certain when a deploy of another day found it too.
    expect(prune(running)).toEqual([])
    expect(prune(running)).toEqual([])
    for (const folder of [kept[3] ?? '', ...old])
      utimesSync(`${folder}.leaving`, daysAgo(1), daysAgo(1))
    expect(new Set(prune(running))).toEqual(new Set([kept[3], ...old]))
    for (const folder of [running, green, ...kept.slice(0, 3)])
      expect(readFileSync(join(folder, 'db.json'), 'utf8')).toBe('precious')
    expect(readdirSync(join(paths.builds, 'shop')).filter((name) => /^[def]/.test(name))).toEqual(
      [],
    )
    expect(prune(running)).toEqual([])
  })

  it('starts its days again after it ran again', () => {
    for (const name of ['a', 'b', 'c']) release(name, 1)
    const again = release('again', 300)
    prune(again)
    prune('')
    expect(Date.now() - statSync(`${again}.kept`).mtimeMs).toBeLessThan(60_000)
    expect([existsSync(`${again}.used`), existsSync(`${again}.leaving`)]).toEqual([false, false])
  })

  it('counts its days from the first deploy that saw it idle', async () => {
    const young = ['a', 'b', 'c'].map((name) => release(name, 1))
    const { folder } = await build('echo built > db.json')
    // Within one tick of the clock of the file system it would have the time of the build.
    while (writtenFiles(folder)?.length === 0)
      writeFileSync(join(folder, 'db.json'), 'written after the build')
    expect(prune(young[0] ?? '')).toEqual([])
    expect(Date.now() - statSync(`${folder}.kept`).mtimeMs).toBeLessThan(60_000)
  })
})

/** Commits a file as Git LFS keeps it: the commit has a pointer. @returns where the store has its content */
function commitPointer(content: string): { store: string; oid: string } {
  const oid = createHash('sha256').update(content).digest('hex')
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${oid}\nsize ${content.length}\n`
  writeFileSync(join(paths.root, '.gitattributes'), '*.png filter=lfs diff=lfs merge=lfs -text\n')
  writeFileSync(join(paths.root, 'logo.png'), pointer)
  git('add', '--all')
  git('commit', '--quiet', '-m', 'a pointer')
  const store = join(paths.root, '.git', 'lfs', 'objects', oid.slice(0, 2), oid.slice(2, 4))
  mkdirSync(store, { recursive: true })
  return { store, oid }
}

const lfs = ['/usr/bin/git-lfs', '/usr/local/bin/git-lfs'].find((path) => existsSync(path))
it.skipIf(lfs === undefined)('B5 fetches content that a clone lacks (needs git-lfs)', async () => {
  const origin = join(dir, 'origin.git')
  git('init', '--quiet', '--bare', origin)
  git('remote', 'add', 'origin', `file://${origin}`)
  const content = 'the real logo\n'
  const { store, oid } = commitPointer(content)
  writeFileSync(join(store, oid), content)
  git('push', '--quiet', 'origin', 'HEAD')
  git('lfs', 'push', '--all', 'origin')
  rmSync(store, { recursive: true })
  const { folder } = await build('cp logo.png built.png')
  expect(readFileSync(join(folder, 'built.png'), 'utf8')).toBe(content)

  rmSync(join(origin, 'lfs'), { recursive: true })
  rmSync(store, { recursive: true })
  await expect(build('true')).rejects.toMatchObject({
    errorClass: 'lfs_content_missing',
    message: expect.stringMatching(/^1 of 1 files .* first logo\.png: /) as string,
  })
})

it('B5 builds from the content of files in Git LFS, or not at all', async () => {
  const content = 'the real logo\n'
  const { store, oid } = commitPointer(content)
  const missing = {
    errorClass: 'lfs_content_missing',
    message: expect.stringContaining(
      '1 of 1 files in Git LFS are not here, first logo.png',
    ) as string,
  }
  await expect(build('true')).rejects.toMatchObject(missing)
  writeFileSync(join(store, oid), 'another logo\n')
  await expect(build('true')).rejects.toMatchObject(missing)
  writeFileSync(join(store, oid), content)
  const { folder } = await build('cp logo.png built.png')
  expect(readFileSync(join(folder, 'built.png'), 'utf8')).toBe(content)
})
