import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { treeDigest } from '#ops/base/files/tree-digest'

const dir = mkdtempSync(join(tmpdir(), 'tree-digest-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

describe('the digest of a build', () => {
  const tree = join(dir, 'tree')
  mkdirSync(join(tree, 'sub'), { recursive: true })
  writeFileSync(join(tree, 'a'), 'one')
  writeFileSync(join(tree, 'sub', 'b'), 'two')
  symlinkSync('a', join(tree, 'link'))
  const first = treeDigest(tree)

  it('is the same anywhere and at any time', () => {
    const copy = join(dir, 'copy')
    cpSync(tree, copy, { recursive: true, verbatimSymlinks: true })
    utimesSync(join(copy, 'a'), 0, 0)
    expect(treeDigest(copy)).toBe(first)
  })

  it.each([
    ['a byte', () => writeFileSync(join(tree, 'a'), 'One')],
    ['a name', () => writeFileSync(join(tree, 'c'), '')],
    ['an executable bit', () => chmodSync(join(tree, 'a'), 0o755)],
    [
      'where a link leads',
      () => {
        rmSync(join(tree, 'link'))
        symlinkSync('sub/b', join(tree, 'link'))
      },
    ],
    ['an empty folder', () => mkdirSync(join(tree, 'empty'))],
  ])('changes with %s', (_what, change) => {
    const before = treeDigest(tree)
    change()
    expect(treeDigest(tree)).not.toBe(before)
  })
})
