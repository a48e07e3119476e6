import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { realPath } from '#ops/base/files/real-path'

let dir: string
beforeEach(() => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'real-path-')))
  mkdirSync(join(dir, 'target'))
  symlinkSync('target', join(dir, 'link'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it.each([
  ['an existing folder', 'target', 'target'],
  ['a link', 'link', 'target'],
  ['a missing folder below a link', 'link/new/deep', 'target/new/deep'],
  ['a missing folder', 'new', 'new'],
])('finds the real path of %s', (_what, path, expected) => {
  expect(realPath(join(dir, path))).toBe(join(dir, expected))
})

it('follows a link to a target that does not exist, and one below it', () => {
  symlinkSync('/etc/no-such-folder', join(dir, 'dangling'))
  expect(realPath(join(dir, 'dangling'))).toBe('/etc/no-such-folder')
  expect(realPath(join(dir, 'dangling', 'new'))).toBe('/etc/no-such-folder/new')
})

it('throws when links run in a circle', () => {
  symlinkSync('b', join(dir, 'a'))
  symlinkSync('a', join(dir, 'b'))
  expect(() => realPath(join(dir, 'a'))).toThrow(/ELOOP/)
})
