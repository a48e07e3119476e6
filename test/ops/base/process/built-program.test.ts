import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { builtProgram, stampOf } from '#ops/base/process/built-program'
import { releaseMark } from '#ops/base/paths/release-mark'

let root: string
const source = (): string => join(root, 'ops', 'one.ts')
const bundle = (): string => pathToFileURL(join(root, 'out', 'programs', 'hq.mjs')).href

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'built-program-'))
  mkdirSync(join(root, 'ops'))
  mkdirSync(join(root, 'out', 'programs'), { recursive: true })
  writeFileSync(source(), 'one')
  writeFileSync(join(root, 'out', 'programs', 'hq.mjs'), '')
  writeFileSync(
    join(root, 'out', 'programs', 'sources.json'),
    JSON.stringify({ 'ops/one.ts': stampOf(source()) }),
  )
})
afterEach(() => {
  rmSync(root, { recursive: true, force: true })
})

it('names the bundle while no source changed', () => {
  expect(builtProgram(root, 'hq')).toBe(bundle())
})

it('names the bundle in a copy that kept the times of its files', () => {
  const copy = `${root}/copy`
  for (const part of ['ops', 'out'])
    cpSync(join(root, part), join(copy, part), { recursive: true, preserveTimestamps: true })
  expect(builtProgram(copy, 'hq')).toBe(pathToFileURL(join(copy, 'out', 'programs', 'hq.mjs')).href)
})

it.each([
  ['a source changed its size', () => writeFileSync(source(), 'another')],
  ['a source was written again', () => utimesSync(source(), new Date(0), new Date(0))],
  ['a source is gone', () => rmSync(source())],
  ['the list of sources is not there yet', () => rmSync(`${root}/out/programs/sources.json`)],
  ['nothing was built', () => rmSync(`${root}/out`, { recursive: true })],
])('runs the sources when %s', (_what, change) => {
  change()
  expect(builtProgram(root, 'hq')).toBeNull()
})

it('takes the bundle of a complete release as it is: its files have the times of its making', () => {
  writeFileSync(join(root, releaseMark), '{}')
  utimesSync(source(), new Date(0), new Date(0))
  expect(builtProgram(root, 'hq')).toBe(bundle())
})
