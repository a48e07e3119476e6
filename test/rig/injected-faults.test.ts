import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeJson } from '#ops/base/files/json-file'

const why = spawnSync('strace', ['-V'], { stdio: 'ignore' }).status === 0 ? null : 'needs strace'
if (why) console.warn(`Skipped, ${why}: faults injected into the JSON writer`)

describe.skipIf(why !== null)('the JSON writer under injected faults', () => {
  let dir: string
  let file: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'faults-'))
    file = join(dir, 'state.json')
    writeJson(file, { value: 'old' })
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  const script = (): string =>
    `import { writeJson } from ${JSON.stringify(join(process.cwd(), 'ops/base/files/json-file.ts'))}; ` +
    `writeJson(${JSON.stringify(file)}, { value: 'new' })`
  const underStrace = (fault: string, traced: string): number | null =>
    spawnSync(
      'strace',
      [
        '-f',
        '-qq',
        '-o',
        '/dev/null',
        '-e',
        `trace=${traced}`,
        '-e',
        fault,
        process.execPath,
        '--input-type=module',
        '-e',
        script(),
      ],
      { stdio: 'ignore', timeout: 60_000 },
    ).status

  // fsync 1 is of the temporary file, fsync 2 of the folder after the rename.
  it.each([
    ['fsync', 1, 'old'],
    ['rename', 1, 'old'],
    ['fsync', 2, 'new'],
  ])('killed at %s %i, the file holds the %s content whole', (call, nth, expected) => {
    expect(underStrace(`inject=${call}:signal=SIGKILL:when=${nth}`, call)).not.toBe(0)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ value: expected })
  })

  it('says that the write failed when fsync of the folder fails, and the content is old or new', () => {
    expect(underStrace('inject=fsync:error=EIO:when=1+', 'fsync')).not.toBe(0)
    expect(['old', 'new']).toContain(
      (JSON.parse(readFileSync(file, 'utf8')) as { value: string }).value,
    )
    expect(readdirSync(dir).filter((name) => name.endsWith('.tmp'))).toEqual([])
  })

  it('runs without the fault, so that the fault is what the others see', () => {
    execFileSync(process.execPath, ['--input-type=module', '-e', script()])
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ value: 'new' })
  })
})
