import { statSync } from 'node:fs'
import { connectors, type ConnectorName } from '#shared/connectors/list'
import { Problem, toProblem } from '#shared/errors'
import { writeWhole } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import type { HostFiles } from '#ops/core/config/host-files'

/** @throws {Problem} `invalid_request` when the connector cannot sign in this way */
export function requireMode(name: ConnectorName, mode: string): void {
  const { title, modes }: { title: string; modes: readonly string[] } = connectors[name]
  if (!modes.includes(mode))
    throw new Problem(
      'invalid_request',
      `mode: ${title} cannot be connected by ${JSON.stringify(mode)}. Nothing was changed.`,
    )
}

/** host.json with this mode of a connector. Every other field stays. */
export function withMode(
  { host }: Pick<HostFiles, 'host'>,
  name: ConnectorName,
  mode: string,
): Pick<HostFiles, 'host'> {
  const value = JSON.parse((host ?? '{}').replace(/^\uFEFF/, '')) as Record<string, object>
  const changed = { ...value, [name]: { ...value[name], mode } }
  return { host: `${JSON.stringify(changed, null, 2)}\n` }
}

/**
 * Writes host.json whole or not at all, with the owner, group and mode bits it had.
 * @throws {Problem} when the disk refuses it
 */
export function writeHostFile(paths: HostPaths, { host }: Pick<HostFiles, 'host'>): void {
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
      `The new secret is in use, but ${paths.hostSettings} still names the mode of before: ${message}`,
      { cause: error },
    )
  }
}
