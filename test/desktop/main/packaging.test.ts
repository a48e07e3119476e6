import { getConfig, validateConfiguration } from 'app-builder-lib/out/util/config/config.js'
import { DebugLogger } from 'builder-util'
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { builtProgram, stampOf } from '#ops/base/process/built-program'
import { installRoot } from '#ops/base/process/program'
import { releaseVersion } from '#ops/core/host-state/releases'

const read = () => getConfig(installRoot(), 'electron-builder.yml', null)

describe('electron-builder.yml', () => {
  it('is valid for the packager that is installed', async () => {
    await expect(
      validateConfiguration(await read(), new DebugLogger(false)),
    ).resolves.toBeUndefined()
  })

  it('is checked against a schema that refuses a field it does not know', async () => {
    await expect(
      validateConfiguration({ ...(await read()), asarr: true } as never, new DebugLogger(false)),
    ).rejects.toThrow(/asarr/)
  })

  it('turns off every way to make the program run something else', async () => {
    expect((await read()).electronFuses).toMatchObject({
      runAsNode: false,
      enableNodeOptionsEnvironmentVariable: false,
      enableNodeCliInspectArguments: false,
      enableCookieEncryption: true,
      onlyLoadAppFromAsar: true,
      enableEmbeddedAsarIntegrityValidation: true,
      grantFileProtocolExtraPrivileges: false,
    })
  })
})

describe('a packaged app', () => {
  /** What the packager has put in place: without the lock file, its package.json rewritten, all with new times. */
  const packaged = (parts: readonly string[]) => {
    const app = join(dir, 'resources', 'app.asar.unpacked')
    for (const part of parts) cpSync(join(source, part), join(app, part), { recursive: true })
    writeFileSync(join(app, 'package.json'), '{"name":"openclaw-hq","version":"1.2.3"}')
    const packager = { getResourcesDir: (folder: string) => join(folder, 'resources') }
    return { app, mark: () => markPackage({ appOutDir: dir, packager }, source) }
  }
  let dir: string
  let source: string
  let markPackage: (context: object, source: string) => void
  beforeEach(async () => {
    const hook = join(installRoot(), String((await read()).afterPack))
    ;({ default: markPackage } = (await import(hook)) as { default: typeof markPackage })
    dir = mkdtempSync(join(tmpdir(), 'packaging-'))
    source = join(dir, 'source')
    const names = [
      'package.json',
      'package-lock.json',
      'ops/main.ts',
      'hostd/main.ts',
      'shared/ids.ts',
    ]
    for (const name of names) {
      mkdirSync(dirname(join(source, name)), { recursive: true })
      writeFileSync(join(source, name), '{ "a longer text": "than the packager writes" }')
    }
    mkdirSync(join(source, 'out', 'programs'), { recursive: true })
    writeFileSync(join(source, 'out', 'programs', 'hq.mjs'), '')
    const stamps = names.map((name) => [name, stampOf(join(source, name))])
    writeFileSync(
      join(source, 'out', 'programs', 'sources.json'),
      JSON.stringify(Object.fromEntries(stamps)),
    )
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('starts its programs from their bundles', () => {
    const { app, mark } = packaged(['ops', 'hostd', 'shared', 'out'])
    expect(builtProgram(app, 'hq')).toBeNull()
    mark()
    expect(builtProgram(app, 'hq')).toBe(pathToFileURL(join(app, 'out/programs/hq.mjs')).href)
    expect(releaseVersion(app)).toBe('1.2.3')
  })

  it('is not made of bundles of other sources, or of none', () => {
    expect(packaged(['ops', 'hostd', 'shared']).mark).toThrow(/has no bundles/)
    writeFileSync(join(source, 'ops', 'main.ts'), 'changed since')
    expect(packaged(['ops', 'hostd', 'shared', 'out']).mark).toThrow(/npm run build/)
  })
})
