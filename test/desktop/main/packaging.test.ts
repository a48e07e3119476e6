import { getConfig, validateConfiguration } from 'app-builder-lib/out/util/config/config.js'
import { DebugLogger } from 'builder-util'
import { describe, expect, it } from 'vitest'
import { installRoot } from '#ops/base/process/program'

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
