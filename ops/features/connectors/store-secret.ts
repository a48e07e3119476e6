import type { HostSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import type { RunnerRequest } from '#shared/run'
import { withLock } from '#ops/base/files/lock'
import { writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostSettings } from '#ops/core/config/settings-files'
import { candidatesFile } from '#ops/core/host-state/connector-candidates'
import { secretsLockFile } from '#ops/core/host-state/locks'
import { candidateOf, SecretFolder } from './common/secret-folder.ts'
import { allSecrets, secretsOf } from './secret-files.ts'

/** A proof of the same connector may run; the laptop waits 30 s. Milliseconds. */
const lockWaitMs = 20_000

/** What works on the folder of the secrets. */
export interface SecretWork {
  readonly folder: SecretFolder
  readonly settings: HostSettings
  /** The host was installed; see `ReadRules`. */
  readonly strict: boolean
}

/**
 * Opens the folder of the secrets for `work`, alone; hostd learns what lies there afterwards.
 * @throws {Problem} `lane_busy` when another request or run works there; `connector_secret_unsafe`; `config_invalid`
 */
export async function withSecrets<T>(
  paths: HostPaths,
  work: (secrets: SecretWork) => T | Promise<T>,
  { waitMs = lockWaitMs }: { waitMs?: number } = {},
): Promise<T> {
  const settings = readHostSettings(paths)
  const strict = settings.launcher === 'systemd'
  const busy = (): Problem =>
    new Problem(
      'lane_busy',
      'A secret of a connector is being proved or stored on the host. Nothing was changed.',
    )
  return await withLock(secretsLockFile(paths), { waitMs, busy }, () =>
    SecretFolder.open(paths, { strict }, async (folder) => {
      try {
        return await work({ folder, settings, strict })
      } finally {
        noteCandidates(paths, settings, folder)
      }
    }),
  )
}

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
  return await withSecrets(paths, ({ folder, settings }) => {
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
