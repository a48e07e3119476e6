import type { HostSettings } from '#shared/config'
import type { ConnectorName } from '#shared/connectors/list'
import { Problem } from '#shared/errors'
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
import { keepRenewed, type Exchange, type Renewal } from './keep-renewed.ts'
import { mayRenew } from './secret-files.ts'
import { withSecrets, type SecretWork } from './store-secret.ts'

/** A proof of the same connector, with its two checks, is waited for this long. Milliseconds. */
const exchangeWaitMs = 200_000

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
  /**
   * Does `work` while no other process uses secrets of these connectors that their service may renew: two at once would
   * both use the same, and a service takes the second for theft and ends all of them.
   * @throws {Problem} as `withSecrets`; `cancelled`
   */
  readonly exchanging: <T>(
    names: readonly ConnectorName[],
    signal: AbortSignal,
    work: (exchange: Exchange) => Promise<T>,
  ) => Promise<T>
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
    exchanging: async (names, signal, work) => {
      if (secrets !== null)
        return await work({
          keep: (renewal) => keepRenewed(secrets, renewal),
          end: () => undefined,
        })
      const held = new HeldSecrets(paths)
      try {
        for (const name of names) if (mayRenew(name, settings)) await held.hold(name, signal)
        return await work(held)
      } finally {
        await held.endAll()
      }
    },
  }
}

/** The secrets of connectors that one run works on alone, until it says that it needs them no longer. */
class HeldSecrets implements Exchange {
  readonly #paths: HostPaths
  readonly #held = new Map<ConnectorName, { secrets: SecretWork; end: () => Promise<void> }>()

  constructor(paths: HostPaths) {
    this.#paths = paths
  }

  async hold(name: ConnectorName, signal: AbortSignal): Promise<void> {
    const opened = Promise.withResolvers<SecretWork>()
    const over = Promise.withResolvers<void>()
    const work = async (secrets: SecretWork): Promise<void> => {
      opened.resolve(secrets)
      await over.promise
    }
    const whole = withSecrets(this.#paths, { name, waitMs: exchangeWaitMs, signal }, work)
    whole.catch(opened.reject)
    const end = async (): Promise<void> => {
      over.resolve()
      await whole
    }
    try {
      this.#held.set(name, { secrets: await opened.promise, end })
    } catch (error) {
      if (!signal.aborted) throw error
      throw new Problem('cancelled', 'The run was cancelled while it waited for a secret.', {
        cause: error,
      })
    }
  }

  keep(renewal: Renewal): void {
    const held = this.#held.get(renewal.name)
    if (held === undefined)
      throw new Problem(
        'action_no_result',
        'The check of the connectors renewed a secret that it was not to use. It was not written.',
      )
    keepRenewed(held.secrets, renewal)
  }

  async end(name: ConnectorName): Promise<void> {
    const held = this.#held.get(name)
    this.#held.delete(name)
    await held?.end()
  }

  async endAll(): Promise<void> {
    for (const name of this.#held.keys()) await this.end(name)
  }
}
