import type { HostSettings } from '#shared/config'
import type { ConnectorName } from '#shared/connectors/list'
import { Problem } from '#shared/errors'
import type { RunnerRequest } from '#shared/run'
import { withLock } from '#ops/base/files/lock'
import { writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostSettings } from '#ops/core/config/settings-files'
import { candidatesFile } from '#ops/core/host-state/connector-candidates'
import { connectorFilesLockFile, secretsLockFile } from '#ops/core/host-state/locks'
import { candidateOf, SecretFolder } from './common/secret-folder.ts'
import { allSecrets, secretsOf } from './secret-files.ts'

/** A proof of the same connector may run; the laptop waits 30 s. Milliseconds. */
const lockWaitMs = 20_000

/** What works on the secrets of one connector. */
export interface SecretWork {
  readonly folder: SecretFolder
  readonly settings: HostSettings
  /** The host was installed; see `ReadRules`. */
  readonly strict: boolean
}

interface Which {
  readonly name: ConnectorName
  /** How long another holder is waited for, milliseconds. */
  readonly waitMs?: number
  readonly signal?: AbortSignal
}

const busy = (): Problem =>
  new Problem(
    'lane_busy',
    'A secret of this connector is being proved or stored on the host. Nothing was changed.',
  )

/**
 * Opens the folder of the secrets for `work`, which works alone on those of `name`; hostd learns what lies there
 * afterwards.
 * @throws {Problem} `lane_busy` when another request or run works there; `connector_secret_unsafe`; `config_invalid`;
 *   an AbortError when the signal fires while it waits
 */
export async function withSecrets<T>(
  paths: HostPaths,
  { name, waitMs = lockWaitMs, signal }: Which,
  work: (secrets: SecretWork) => T | Promise<T>,
): Promise<T> {
  return await withLock(secretsLockFile(paths, name), { waitMs, busy, signal }, async () => {
    // What was waited for may have changed them.
    const settings = readHostSettings(paths)
    const strict = settings.launcher === 'systemd'
    // It is made by one at a time: another one could find it before it has its owner.
    await withSharedFiles(paths, () => SecretFolder.open(paths, { strict }, () => undefined))
    return await SecretFolder.open(paths, { strict }, async (folder) => {
      try {
        return await work({ folder, settings, strict })
      } finally {
        await withSharedFiles(paths, () => noteCandidates(paths, settings, folder))
      }
    })
  })
}

/**
 * Does `work`, of a moment, while nobody else writes what the connectors share.
 * @throws {Problem} `lane_busy`
 */
export const withSharedFiles = <T>(
  paths: Pick<HostPaths, 'locks'>,
  work: () => T | Promise<T>,
): Promise<T> => withLock(connectorFilesLockFile(paths), { waitMs: lockWaitMs, busy }, work)

/**
 * Stores a secret that a laptop sent, beside the one in use. The secret in use stays until the new one is proved.
 * @returns the kind
 * @throws {Problem} as `withSecrets`; `invalid_request` for a kind that the connector does not have;
 *   `connector_secret_invalid` when the bytes are not such a secret
 */
export async function storeSecret(
  paths: HostPaths,
  { connector, kind }: Extract<RunnerRequest, { op: 'write_secret' }>,
  bytes: Uint8Array,
): Promise<string> {
  return await withSecrets(paths, { name: connector }, ({ folder, settings }) => {
    const secret = secretsOf(connector, settings).find((each) => each.kind === kind)
    if (secret === undefined)
      throw new Problem(
        'invalid_request',
        `kind: ${connector} has no secret of this kind. Nothing was stored.`,
      )
    secret.validate(bytes)
    folder.write(candidateOf(secret.name), bytes)
    return kind
  })
}

/** Notes for hostd which candidates lie in the folder now. */
function noteCandidates(paths: HostPaths, settings: HostSettings, folder: SecretFolder): void {
  const found = allSecrets(settings).flatMap(({ connector, kind, name }) => {
    const at = folder.stat(candidateOf(name))
    return at === null ? [] : [{ name: connector, kind, stored_at: at.mtime.toISOString() }]
  })
  writeJson(candidatesFile(paths), { schema_version: 1, candidates: found })
}
