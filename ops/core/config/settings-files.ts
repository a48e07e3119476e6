import { join } from 'node:path'
import {
  operatorSettings,
  projectConfig,
  type HostSettings,
  type OperatorSettings,
  type ProjectConfig,
  type TrustFile,
} from '#shared/config'
import { Problem } from '#shared/errors'
import { readHostFile, readHostFiles, settingsOf, trustOf } from './host-files.ts'
import { parseJson, readJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'

export const projectConfigName = 'openclaw.config.json'

/** @throws {Problem} `config_missing`; `config_invalid` when it is off its schema; the message names the field */
export function readProjectConfig(root: string): ProjectConfig {
  const path = join(root, projectConfigName)
  const config = readJson(path, projectConfig, 'config_invalid')
  if (!config) throw new Problem('config_missing', `${path} does not exist.`)
  return config
}

/**
 * The same for text read from a commit.
 * @param origin names it in the error, for example `<sha>:openclaw.config.json`
 */
export const parseProjectConfig = (text: string, origin: string): ProjectConfig =>
  parseJson(text, projectConfig, { errorClass: 'config_invalid', origin })

/** A missing host.json means the defaults. @throws {Problem} `config_invalid`, naming the field */
export const readHostSettings = (paths: HostPaths): HostSettings =>
  settingsOf(readHostFile(paths), paths)

/**
 * The trust file with every trusted ship key, those that were enrolled later included.
 * @throws {Problem} `host_not_ready` when there is none: such a host trusts no review; `config_invalid`
 */
export const readTrustFile = (paths: HostPaths): TrustFile => trustOf(readHostFiles(paths), paths)

export const operatorSettingsPath = (home: string): string => join(home, 'settings.json')

/** A missing file means the defaults. @throws {Problem} `config_invalid`, naming the field */
export const readOperatorSettings = (home: string): OperatorSettings =>
  readJson(operatorSettingsPath(home), operatorSettings, 'config_invalid') ??
  operatorSettings.parse({})
