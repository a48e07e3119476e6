import { statSync } from 'node:fs'
import { connectors, type ConnectorName } from '#shared/connectors/list'
import { Problem, toProblem } from '#shared/errors'
import { writeWhole } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import type { HostFiles } from '#ops/core/config/host-files'
import type { ConnectorChange } from './common/read-secret.ts'

/** @throws {Problem} `invalid_request` when the connector cannot sign in this way */
export function requireMode(name: ConnectorName, mode: string): void {
  const { title, modes }: { title: string; modes: readonly string[] } = connectors[name]
  if (!modes.includes(mode))
    throw new Problem(
      'invalid_request',
      `mode: ${title} cannot be connected by ${JSON.stringify(mode)}. Nothing was changed.`,
    )
}

/** host.json with these settings of a connector. Every other field stays. */
export function withSettings(
  { host }: Pick<HostFiles, 'host'>,
  name: ConnectorName,
  change: ConnectorChange,
): Pick<HostFiles, 'host'> {
  const value = JSON.parse((host ?? '{}').replace(/^\uFEFF/, '')) as Record<string, object>
  const changed = { ...value, [name]: { ...value[name], ...change } }
  return { host: `${JSON.stringify(changed, null, 2)}\n` }
}

/**
 * Writes host.json whole or not at all, with the owner, group and mode bits it had.
 * @param done what was done before, in a sentence without its end
 * @throws {Problem} when the disk refuses it
 */
export function writeHostFile(
  paths: HostPaths,
  { host }: Pick<HostFiles, 'host'>,
  done: string,
): void {
  const before = statSync(paths.hostSettings, { throwIfNoEntry: false })
  try {
    writeWhole(paths.hostSettings, host ?? '', {
      mode: (before?.mode ?? 0o644) & 0o777,
      ...(before === undefined ? {} : { owner: before }),
    })
  } catch (error) {
    const { errorClass, message } = toProblem(error)
    throw new Problem(
      errorClass,
      `${done}, but ${paths.hostSettings} still has the settings of before: ${message}`,
      { cause: error },
    )
  }
}
