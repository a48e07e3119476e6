import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { hostPaths, type HostPaths } from '#ops/base/paths/paths'
import {
  currentFolder,
  dropRelease,
  listReleases,
  markComplete,
  pruneReleases,
  releaseVersion,
  switchCurrent,
  unfinished,
} from '#ops/core/host-state/releases'
import { startHostd, testHost } from '../../../support/hostd.ts'

let dir: string
let paths: HostPaths
const started: ChildProcess[] = []
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'releases-')))
  paths = hostPaths({
    OPENCLAW_ROOT: join(dir, 'root'),
    OPENCLAW_ETC: join(dir, 'etc'),
    OPENCLAW_STATE: join(dir, 'state'),
  })
})
afterEach(async () => {
  for (const child of started.splice(0)) {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  rmSync(dir, { recursive: true, force: true })
})

const name = (n: number): string => String(n).repeat(40)
const make = (n: number, at: string): string => {
  const folder = join(paths.releases, name(n))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ version: '1.2.3' }))
  markComplete(folder, { sha: name(n), commit: name(n) })
  writeFileSync(
    join(folder, '.openclaw-release.json'),
    JSON.stringify({
      schema_version: 1,
      sha: name(n),
      commit: name(n),
      installed_at: `2026-01-0${at}T00:00:00.000Z`,
    }),
  )
  return folder
}
const left = (): string[] =>
  readdirSync(paths.releases)
    .filter((each) => each !== 'current')
    .map((each) => each[0] ?? '')
    .toSorted()
/** A process that runs from a folder although its command line names another. */
const runsFrom = async (folder: string): Promise<void> => {
  const child = spawn('sleep', ['1000'], { cwd: folder, stdio: 'ignore' })
  started.push(child)
  await once(child, 'spawn')
}

it('keeps the three newest by when they were installed, whatever was written into them since', () => {
  for (const [n, at] of [
    [1, '1'],
    [2, '2'],
    [3, '3'],
    [4, '4'],
    [5, '5'],
  ] as const)
    make(n, at)
  utimesSync(join(paths.releases, name(1)), new Date(), new Date())
  switchCurrent(paths, join(paths.releases, name(5)))
  expect(listReleases(paths).map((folder) => folder.at(-1))).toEqual(['5', '4', '3', '2', '1'])
  expect(pruneReleases(paths).map((folder) => folder.at(-1))).toEqual(['2', '1'])
  expect(left()).toEqual(['3', '4', '5'])
})

it('never removes one that is current, or that a process runs from', async () => {
  for (const n of [1, 2, 3, 4, 5, 6]) make(n, String(n))
  switchCurrent(paths, join(paths.releases, name(1)))
  await runsFrom(join(paths.releases, name(2)))
  pruneReleases(paths)
  expect(left()).toEqual(['1', '2', '4', '5', '6'])
  expect([
    dropRelease(paths, join(paths.releases, name(1))),
    dropRelease(paths, join(paths.releases, name(2))),
    dropRelease(paths, join(paths.releases, name(6))),
  ]).toEqual([false, false, true])
  expect(left()).toEqual(['1', '2', '4', '5'])
})

it('removes half installations only when no process can be working on them', () => {
  const current = make(1, '1')
  switchCurrent(paths, current)
  const [old, fresh] = [
    unfinished(join(paths.releases, name(2))),
    unfinished(join(paths.releases, name(3))),
  ]
  for (const folder of [old, fresh]) mkdirSync(folder)
  utimesSync(old, new Date(0), new Date(0))
  expect(pruneReleases(paths)).toEqual([old])
  expect(listReleases(paths)).toEqual([current])
})

it('switches in one step, and hostd names the commit of its release', async () => {
  const [one, two] = [make(1, '1'), make(2, '2')]
  expect(currentFolder(paths)).toBeNull()
  switchCurrent(paths, one)
  switchCurrent(paths, two)
  expect(currentFolder(paths)).toBe(two)
  expect(releaseVersion(two)).toBe(`1.2.3+${name(2).slice(0, 12)}`)
  const host = testHost()
  try {
    const hostd = await startHostd({ ...host, env: { ...host.env, OPENCLAW_HQ_INSTALL: two } })
    expect((await hostd.request('/health', { token: null })).body['version']).toBe(
      `1.2.3+${name(2).slice(0, 12)}`,
    )
    await hostd.stop()
  } finally {
    await host.remove()
  }
})
