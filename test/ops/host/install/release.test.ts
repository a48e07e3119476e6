import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { releaseId } from '#ops/host/install/release'
import { stampOf } from '#ops/base/process/built-program'

let source: string
const bundles = (): string => join(source, 'out', 'programs')

beforeEach(() => {
  source = mkdtempSync(join(tmpdir(), 'release-'))
  for (const folder of ['shared', 'ops', 'hostd', 'out/programs'])
    mkdirSync(join(source, folder), { recursive: true })
  for (const name of ['package.json', 'package-lock.json', 'ops/main.ts'])
    writeFileSync(join(source, name), '{}')
  writeFileSync(join(bundles(), 'hq.mjs'), '// bundled')
  writeFileSync(
    join(bundles(), 'sources.json'),
    JSON.stringify({ 'ops/main.ts': stampOf(join(source, 'ops/main.ts')) }),
  )
})
afterEach(() => {
  rmSync(source, { recursive: true, force: true })
})

/** The release as it would be without bundles. */
function withoutBundles(): string {
  rmSync(bundles(), { recursive: true })
  return releaseId(source)
}

it('holds the bundles of its sources', () => {
  const bundled = releaseId(source)
  expect(bundled).not.toBe(withoutBundles())
})

it('leaves bundles behind that were made before a source was edited', () => {
  writeFileSync(join(source, 'ops/main.ts'), '{ }')
  const edited = releaseId(source)
  expect(edited).toBe(withoutBundles())
})

it('has the same name when the bundles were made again of the same sources', () => {
  const first = releaseId(source)
  writeFileSync(join(source, 'ops/main.ts'), '{}')
  writeFileSync(
    join(bundles(), 'sources.json'),
    JSON.stringify({ 'ops/main.ts': stampOf(join(source, 'ops/main.ts')) }),
  )
  expect(releaseId(source)).toBe(first)
})
