import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { adoptBuildOutput } from '#ops/features/deploy/release/adopt-build-output'
import { giveTreeTo } from '#ops/base/process/run-as'

let dir: string
let from: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'take-over-'))
  from = join(dir, 'from')
  mkdirSync(join(from, 'pkg', 'bin'), { recursive: true })
  writeFileSync(join(from, 'pkg', 'bin', 'tool'), 'tool', { mode: 0o755 })
  writeFileSync(join(dir, 'secret'), 'secret')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))
/** The account that made it, where the test may give files away. */
const other = process.getuid?.() === 0 ? { uid: 1234, gid: 1234, home: '/nonexistent' } : undefined
const copied = async (): Promise<void> => await adoptBuildOutput(from, join(dir, 'to'), other)

it('copies files, modes and links that stay inside into new files', async () => {
  mkdirSync(join(from, '.bin'))
  symlinkSync('../pkg/bin/tool', join(from, '.bin', 'tool'))
  giveTreeTo(from, other)
  await copied()
  expect(readFileSync(join(dir, 'to', '.bin', 'tool'), 'utf8')).toBe('tool')
  expect(lstatSync(join(dir, 'to', '.bin', 'tool')).isSymbolicLink()).toBe(true)
  const [before, after] = [
    statSync(join(from, 'pkg/bin/tool')),
    statSync(join(dir, 'to/pkg/bin/tool')),
  ]
  expect([after.mode & 0o7777, after.nlink, after.ino === before.ino]).toEqual([0o755, 1, false])
  for (const path of ['.', 'pkg', 'pkg/bin/tool', '.bin/tool'])
    expect([path, lstatSync(join(dir, 'to', path)).uid]).toEqual([path, process.getuid?.()])
})

it.each([
  [
    'a link out of the folder',
    () => symlinkSync('../../secret', join(from, 'pkg', 'link')),
    /pkg\/link is a link to/,
  ],
  [
    'a link to an absolute path',
    () => symlinkSync(join(from, 'pkg', 'bin', 'tool'), join(from, 'link')),
    /is a link to \//,
  ],
  ['a link to the folder above', () => symlinkSync('..', join(from, 'up')), /is a link to \.\./],
  [
    'a file that everybody may write',
    () => chmodSync(join(from, 'pkg', 'bin', 'tool'), 0o777),
    /has the mode 777/,
  ],
  [
    'a folder that everybody may write',
    () => chmodSync(join(from, 'pkg'), 0o1777),
    /has the mode 1777/,
  ],
  [
    'a program that runs as its owner',
    () => chmodSync(join(from, 'pkg', 'bin', 'tool'), 0o4755),
    /has the mode 4755/,
  ],
  [
    'a FIFO',
    () => {
      spawnSync('mkfifo', [join(from, 'pipe')])
    },
    /pipe is neither file nor folder/,
  ],
])('refuses %s', async (_what, plant, text) => {
  plant()
  await expect(copied()).rejects.toMatchObject({
    errorClass: 'hostd_install_failed',
    message: expect.stringMatching(text) as string,
  })
})

it('never overwrites an existing file', async () => {
  mkdirSync(join(dir, 'to', 'pkg', 'bin'), { recursive: true })
  writeFileSync(join(dir, 'to', 'pkg', 'bin', 'tool'), 'mine')
  await expect(copied()).rejects.toThrow()
  expect(
    readdirSync(join(dir, 'to', 'pkg', 'bin')).map((name) =>
      readFileSync(join(dir, 'to', 'pkg', 'bin', name), 'utf8'),
    ),
  ).toEqual(['mine'])
})
