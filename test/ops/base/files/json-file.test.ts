import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { readJson, writeJson } from '#ops/base/files/json-file'

let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'json-file-'))
  file = join(dir, 'state.json')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Writes in a child process, so that limits and injected faults hit only it. */
const writeInChild = (prefix: string[], value: string): { status: number } => {
  const script =
    `import { writeJson } from ${JSON.stringify(join(process.cwd(), 'ops/base/files/json-file.ts'))}; ` +
    `writeJson(${JSON.stringify(file)}, { value: ${JSON.stringify(value)}.repeat(2000) })`
  const argv = [...prefix, process.execPath, '--input-type=module', '-e', script]
  try {
    execFileSync(argv[0] ?? '', argv.slice(1), { stdio: 'ignore' })
    return { status: 0 }
  } catch (error) {
    return { status: (error as { status: number | null }).status ?? -1 }
  }
}
const leftovers = (): string[] =>
  readdirSync(dir).filter((name) => name !== 'state.json' && name !== 'trace')

describe('writing JSON whole or not at all', () => {
  it('replaces the file and sets the mode whatever the umask', () => {
    const before = process.umask(0o077)
    try {
      writeJson(file, { a: 1 }, { mode: 0o640 })
    } finally {
      process.umask(before)
    }
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ a: 1 })
    expect(statSync(file).mode & 0o777).toBe(0o640)
    expect(leftovers()).toEqual([])
  })

  it.skipIf(process.platform !== 'linux')(
    'keeps the old content when the disk takes only part of the new',
    () => {
      writeJson(file, { value: 'old' })
      expect(writeInChild(['prlimit', '--fsize=4096'], 'new').status).not.toBe(0)
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ value: 'old' })
    },
  )

  it('keeps the old content when the rename cannot be done, and leaves no temporary file', () => {
    rmSync(file, { force: true })
    writeJson(join(file, 'inner.json'), { value: 'old' })
    expect(() => writeJson(file, { value: 'new' })).toThrow()
    expect(leftovers()).toEqual([])
    expect(JSON.parse(readFileSync(join(file, 'inner.json'), 'utf8'))).toEqual({ value: 'old' })
  })
})

describe('reading JSON', () => {
  const schema = z.strictObject({ port: z.number() })
  it('names the file and the field that is wrong', () => {
    writeFileSync(file, '{"port":"x"}')
    expect(() => readJson(file, schema, 'config_invalid')).toThrow(/state\.json: port: .*number/)
  })
  it('says that it is not JSON', () => {
    writeFileSync(file, '{"port":')
    expect(() => readJson(file, schema, 'config_invalid')).toThrow(/is not JSON/)
  })
  it('gives undefined for a missing file only', () => {
    expect(readJson(file, schema, 'config_invalid')).toBeUndefined()
    expect(() => readJson(dir, schema, 'config_invalid')).toThrow(/cannot be read/)
  })
})
