import type { HostSettings } from '#shared/config'
import { hostPathsEnv, type HostPaths } from '#ops/base/paths/paths'
import { connectorAccount } from '#ops/base/paths/connector-paths'
import {
  baseEnv,
  runCommand,
  type CommandOptions,
  type CommandResult,
} from '#ops/base/process/command'
import { programArgv } from '#ops/base/process/program'
import type { RunAs } from '#ops/base/process/run-as'
import {
  passHostFiles,
  readHostFile,
  settingsOf,
  type HostFiles,
} from '#ops/core/config/host-files'
import { keepRenewed, type Renewal } from './keep-renewed.ts'
import { withSecrets, type SecretWork } from './store-secret.ts'

/** A renewed secret exists nowhere else: it is kept also behind the two checks of a proof. Milliseconds. */
const keepWaitMs = 200_000

/** The account that owns the secrets on an installed host. It can read them and no other secret. */
const account: RunAs = { uid: connectorAccount, gid: connectorAccount, home: '/nonexistent' }

/**
 * Starts the processes that read the secrets of the connectors. A run on a host is root, and root must not parse what a
 * service answers: such a process runs as the account that owns the secrets, without a capability.
 */
export interface SecretOwner {
  readonly settings: HostSettings
  /** Runs `hq` with these arguments, by the settings above. @throws {Problem} as `runCommand` */
  readonly hq: (
    args: readonly string[],
    options: Omit<CommandOptions, 'cwd' | 'env' | 'as'>,
  ) => Promise<CommandResult>
  /** Writes a secret that its service renewed for such a process. @throws {Problem} as `withSecrets`, `keepRenewed` */
  readonly keep: (renewal: Renewal) => Promise<void>
}

/**
 * Reads host.json once, for every process of the run.
 * @param file host.json that the processes go by, when it was read already
 * @param secrets the folder of the secrets, when the caller works on it alone already
 * @throws {Problem} `config_invalid`
 */
export function secretOwner(
  paths: HostPaths,
  file: Pick<HostFiles, 'host'> = readHostFile(paths),
  secrets: SecretWork | null = null,
): SecretOwner {
  const settings = settingsOf(file, paths)
  const asRoot = settings.launcher === 'systemd' && process.getuid?.() === 0
  return {
    settings,
    hq: (args, options) =>
      runCommand(programArgv('hq', args), {
        ...options,
        cwd: '/',
        // The process goes by the settings that were read here, whatever host.json says by then.
        env: baseEnv({
          ...hostPathsEnv(paths),
          ...passHostFiles({ ...file, trust: null, ship_keys: null }),
        }),
        ...(asRoot ? { as: account } : {}),
      }),
    keep: async (renewal) =>
      secrets === null
        ? await withSecrets(paths, (work) => keepRenewed(work, renewal), { waitMs: keepWaitMs })
        : keepRenewed(secrets, renewal),
  }
}
