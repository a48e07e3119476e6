import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { nodeProgram } from '#ops/base/process/program'

const root = process.cwd()
let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tally-'))
  symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Really runs test files. @returns the run as the tally takes it */
async function ran(name: string, files: Record<string, string>): Promise<string> {
  const folder = join(dir, name)
  mkdirSync(folder)
  for (const [file, text] of Object.entries(files))
    writeFileSync(
      join(folder, `${file}.test.ts`),
      `import { afterAll, beforeAll, it } from 'vitest'\n${text}\n`,
    )
  const report = join(dir, `${name}.json`)
  const { exitCode } = await execa(
    nodeProgram(root),
    [
      join(root, 'node_modules/vitest/vitest.mjs'),
      'run',
      '--root',
      folder,
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    { cwd: dir, env: { PATH: process.env['PATH'], HOME: dir }, extendEnv: false, reject: false },
  )
  return `${report}:${exitCode ?? 'killed'}`
}
const tally = async (...runs: string[]): Promise<[string, number | undefined]> => {
  const { stdout, exitCode } = await execa(
    nodeProgram(root),
    [join(root, 'scripts/tally.mjs'), ...runs],
    { reject: false },
  )
  return [stdout, exitCode]
}
const fine = "it('fine', () => {})"

it('a run in which every test passed counts as passed, and skipped tests are named', async () => {
  expect(await tally(await ran('good', { one: `${fine}\nit.skip('left out', () => {})` }))).toEqual(
    ['1 passed, 0 failed, 1 skipped', 0],
  )
})

it('counts each failed test, and each file whose hook fails, that cannot load, or whose process dies', async () => {
  const run = await ran('bad', {
    test: `${fine}\nit('fails', () => { throw new Error('planted') })`,
    load: "import './nowhere.ts'",
    none: '',
    died: "it('dies', () => { process.kill(process.pid, 'SIGKILL') })",
    before: `beforeAll(() => { throw new Error('planted') })\n${fine}`,
    after: `afterAll(() => { throw new Error('planted') })\n${fine}`,
  })
  // Two files passed a test each; the one behind the failed hook is no pass.
  expect(await tally(run)).toEqual(['2 passed, 6 failed, 1 skipped', 1])
})

it('an error outside of all tests counts, and so does a run that left no report or passed nothing', async () => {
  const stray = await ran('stray', {
    one:
      "it('fine', async () => { void Promise.reject(new Error('planted')); " +
      'await new Promise((done) => { setTimeout(done, 50) }) })',
  })
  expect(await tally(stray)).toEqual(['1 passed, 1 failed, 0 skipped', 1])
  const good = await ran('good', { one: fine })
  expect(await tally(good, `${join(dir, 'nowhere.json')}:1`)).toEqual([
    '1 passed, 1 failed, 0 skipped',
    1,
  ])
  expect(await tally(await ran('empty', { one: "it.skip('left out', () => {})" }))).toEqual([
    '0 passed, 0 failed, 1 skipped',
    1,
  ])
})
