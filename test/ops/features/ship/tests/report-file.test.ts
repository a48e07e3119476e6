import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TestSuite } from '#ops/features/ship/index'
import { reportBytes } from '#ops/features/ship/tests/report-file'
import { problemFrom } from '../../../../support/step-context.ts'

let folder: string
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'report-file-')))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const suite: TestSuite = {
  name: 'unit',
  argv: ['true'],
  report: { format: 'junit', path: 'report.xml' },
  timeout_seconds: 60,
  allowed_skips: [],
}
const source = (signal: AbortSignal) => ({
  path: join(folder, 'report.xml'),
  suite,
  folder,
  signal,
})

describe('the bytes of a report', () => {
  const { signal } = new AbortController()

  it('are those of the file, in pieces that do not grow with it', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251))
    writeFileSync(join(folder, 'report.xml'), bytes)
    const pieces: Buffer[] = []
    for await (const piece of reportBytes(source(signal))) pieces.push(Buffer.from(piece))
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true)
    expect(Math.max(...pieces.map(({ length }) => length))).toBe(64 * 1024)
  })

  it('end with the reason of a cancelled ship', async () => {
    writeFileSync(join(folder, 'report.xml'), Buffer.alloc(300_000))
    const cancel = new AbortController()
    let pieces = 0
    const read = async () => {
      for await (const piece of reportBytes(source(cancel.signal))) {
        pieces += piece.length > 0 ? 1 : 0
        cancel.abort(new Error('the ship was cancelled'))
      }
    }
    await expect(read()).rejects.toThrow('the ship was cancelled')
    expect(pieces).toBe(1)
  })

  it('are not read from a folder or a missing file', async () => {
    const first = () => reportBytes(source(signal)).next()
    expect((await problemFrom(first)).message).toContain('was not written')
    rmSync(folder, { recursive: true })
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'report-file-')))
    const asFolder = { ...source(signal), path: folder, folder: realpathSync(tmpdir()) }
    const problem = await problemFrom(() => reportBytes(asFolder).next())
    expect([problem.errorClass, problem.message]).toEqual([
      'tests_no_report',
      expect.stringContaining('is not a regular file'),
    ])
  })
})
