import { z } from 'zod'
import { hostSettings, trustFile, type HostSettings, type TrustFile } from '#shared/config'
import { Problem } from '#shared/errors'
import { enrolledKeys } from '#shared/signature'
import { envValue, wholeEnvironment, type Environment } from '#ops/base/env'
import { parseJson, readText } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { allShipKeys } from '#ops/core/trust/enrolled-keys'

/** The settings files of a host as texts, read once where a run starts and passed to each process that it starts. */
export interface HostFiles {
  /** host.json */ readonly host: string | null
  /** trust.json */ readonly trust: string | null
  /** ship_keys.json */ readonly ship_keys: string | null
}

type Paths = Pick<HostPaths, 'hostSettings' | 'trustFile' | 'shipKeysFile'>

/** Texts and not values: an attempt of another version of HQ applies its own schema and defaults. */
const handed = z.object({
  host: z.string().nullable(),
  trust: z.string().nullable(),
  ship_keys: z.string().nullable(),
})

/** Linux takes at most 128 KiB in one variable (MAX_ARG_STRLEN, execve(2)). Bytes, with room for the name. */
const maxBytes = 128 * 1024 - 1024

/** Nothing is checked yet but that the files can be read. @throws {Problem} `config_invalid` */
export const readHostFiles = (paths: Paths): HostFiles => ({
  host: readText(paths.hostSettings, 'config_invalid') ?? null,
  trust: readText(paths.trustFile, 'config_invalid') ?? null,
  ship_keys: readText(paths.shipKeysFile, 'config_invalid') ?? null,
})

/** host.json alone, for a run that needs nothing else. @throws {Problem} `config_invalid` when it cannot be read */
export const readHostFile = (paths: Pick<HostPaths, 'hostSettings'>): Pick<HostFiles, 'host'> => ({
  host: readText(paths.hostSettings, 'config_invalid') ?? null,
})

/** A missing host.json means the defaults. @throws {Problem} `config_invalid`, naming the field */
export const settingsOf = ({ host }: Pick<HostFiles, 'host'>, paths: Paths): HostSettings =>
  host === null
    ? hostSettings.parse({})
    : parseJson(host, hostSettings, { errorClass: 'config_invalid', origin: paths.hostSettings })

/**
 * The trust file with every trusted ship key, those that were enrolled later included.
 * @throws {Problem} `host_not_ready` when there is none: such a host trusts no review; `config_invalid`
 */
export function trustOf(files: Omit<HostFiles, 'host'>, paths: Paths): TrustFile {
  if (files.trust === null)
    throw new Problem(
      'host_not_ready',
      `${paths.trustFile} does not exist, so no review is trusted and nothing can be deployed: ` +
        'it names the baseline commit and the accepted review providers.',
    )
  const trust = parseJson(files.trust, trustFile, {
    errorClass: 'config_invalid',
    origin: paths.trustFile,
  })
  const enrolled =
    files.ship_keys === null
      ? undefined
      : parseJson(files.ship_keys, enrolledKeys, {
          errorClass: 'config_invalid',
          origin: paths.shipKeysFile,
        })
  return {
    ...trust,
    keys: allShipKeys(trust, enrolled).map(({ id, public_key }) => ({ id, public_key })),
  }
}

/**
 * The variable that passes the files to a process of the run.
 * @throws {Problem} `config_invalid` when they are too large for it
 */
export function passHostFiles(files: HostFiles): Record<string, string> {
  const text = JSON.stringify(files)
  if (Buffer.byteLength(text) > maxBytes)
    throw new Problem(
      'config_invalid',
      `host.json, trust.json and ship_keys.json have ${Buffer.byteLength(text)} bytes together, ` +
        `more than the ${maxBytes} that a run can pass to its processes. Remove keys that are not in use.`,
    )
  return { OPENCLAW_DEPLOY_SETTINGS: text }
}

/**
 * The files that the run passed to this process.
 * @returns null when it passed none, as a deploy of an older HQ: then the process reads them itself
 * @throws {Problem} `config_invalid` when the variable is damaged
 */
export function passedHostFiles(env: Environment = wholeEnvironment()): HostFiles | null {
  const text = envValue('OPENCLAW_DEPLOY_SETTINGS', env)
  return text === undefined
    ? null
    : parseJson(text, handed, { errorClass: 'config_invalid', origin: 'OPENCLAW_DEPLOY_SETTINGS' })
}
