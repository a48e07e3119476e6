import { join } from 'node:path'
import {
  hostSettings,
  operatorSettings,
  projectConfig,
  trustFile,
  type HostSettings,
  type OperatorSettings,
  type ProjectConfig,
  type TrustFile,
} from '#shared/config'
import { Problem } from '#shared/errors'
import { believedShipKeys } from '#ops/core/trust/enrolled-keys'
import { parseJson, readJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'

export const projectConfigName = 'openclaw.config.json'

/** @throws {Problem} `config_invalid` when the file is missing or off its schema; the message names the field */
export function readProjectConfig(root: string): ProjectConfig {
  const path = join(root, projectConfigName)
  const config = readJson(path, projectConfig, 'config_invalid')
  if (!config) throw new Problem('config_invalid', `${path} does not exist.`)
  return config
}

/** The same for text read from a commit. @param origin names it in the error, for example `<sha>:openclaw.config.json` */
export const parseProjectConfig = (text: string, origin: string): ProjectConfig =>
  parseJson(text, projectConfig, 'config_invalid', origin)

/** A missing file means the defaults. @throws {Problem} `config_invalid`, naming the field */
export const readHostSettings = (paths: HostPaths): HostSettings =>
  readJson(paths.hostSettings, hostSettings, 'config_invalid') ?? hostSettings.parse({})

/** `keys` are all that are believed, also those that were enrolled later. @throws {Problem} `host_not_ready`: a host without a trust file believes no review; `config_invalid` */
export function readTrustFile(paths: HostPaths): TrustFile {
  const trust = readJson(paths.trustFile, trustFile, 'config_invalid')
  if (!trust)
    throw new Problem(
      'host_not_ready',
      `${paths.trustFile} does not exist, so no review is trusted and nothing can be deployed: it names the baseline commit and the accepted review providers.`,
    )
  return {
    ...trust,
    keys: believedShipKeys(paths).map(({ id, public_key }) => ({ id, public_key })),
  }
}

export const operatorSettingsPath = (home: string): string => join(home, 'settings.json')

/** A missing file means the defaults. @throws {Problem} `config_invalid`, naming the field */
export const readOperatorSettings = (home: string): OperatorSettings =>
  readJson(operatorSettingsPath(home), operatorSettings, 'config_invalid') ??
  operatorSettings.parse({})
