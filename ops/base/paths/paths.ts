import { dirname, join } from 'node:path'
import envPaths from 'env-paths'
import { runIdPattern } from '#shared/ids'
import { envValue, wholeEnvironment, type Environment } from '../env.ts'

/** Every folder and file of a host, each defined here once. */
export interface HostPaths {
  readonly root: string
  readonly etc: string
  readonly state: string
  readonly artifacts: string
  readonly tokenFile: string
  readonly trustFile: string
  /** Ship keys that were enrolled through hostd, in a folder that a run may write. */
  readonly shipKeysFile: string
  readonly hostSettings: string
  /** Newest commit of each branch that this host has accepted. */
  readonly accepted: string
  readonly projectState: string
  readonly maintenance: string
  readonly runs: string
  readonly locks: string
  readonly index: string
  readonly releases: string
  readonly services: string
  readonly builds: string
  /** Where hostd requests runs on a host with systemd. */
  readonly runnerSocket: string
  /** hostd's own, in a folder that the console's container mounts. */
  readonly publicSocket: string
  /** hostd's for tailscaled, in a folder that only root may open: who connects there says who is calling. */
  readonly tailnetSocket: string
}

/**
 * The paths of the host that the environment names.
 * @throws {Problem} `config_invalid` when a variable is not an absolute path
 */
export function hostPaths(env: Environment = wholeEnvironment()): HostPaths {
  const root = envValue('OPENCLAW_ROOT', env)
  const etc = envValue('OPENCLAW_ETC', env)
  const state = envValue('OPENCLAW_STATE', env)
  const artifacts = envValue('OPENCLAW_ARTIFACTS', env) ?? join(root, 'artifacts')
  const sockets = envValue('OPENCLAW_SOCKETS', env)
  return {
    root,
    etc,
    state,
    artifacts,
    tokenFile: join(etc, 'secrets', 'openclaw_admin_token'),
    trustFile: join(etc, 'trust.json'),
    shipKeysFile: join(etc, 'trust', 'ship_keys.json'),
    hostSettings: join(etc, 'host.json'),
    projectState: join(state, 'project_state.json'),
    accepted: join(state, 'accepted.json'),
    maintenance: join(artifacts, '.maintenance_mode'),
    runs: join(artifacts, 'runs'),
    locks: join(state, 'locks'),
    index: join(state, 'hostd', 'index.sqlite'),
    releases: join(state, 'releases'),
    services: join(state, 'services'),
    builds: join(state, 'builds'),
    runnerSocket: join(sockets, 'runner.sock'),
    publicSocket: join(sockets, 'public', 'hostd.sock'),
    tailnetSocket: join(sockets, 'tailnet', 'hostd.sock'),
  }
}

/** The environment variables that reproduce `paths` in a child whose environment is built from nothing. */
export const hostPathsEnv = (paths: HostPaths): Record<string, string> => ({
  OPENCLAW_ROOT: paths.root,
  OPENCLAW_ETC: paths.etc,
  OPENCLAW_STATE: paths.state,
  OPENCLAW_ARTIFACTS: paths.artifacts,
  OPENCLAW_SOCKETS: dirname(paths.runnerSocket),
})

/** Folder of the operator's settings, ship key, upload queue and witness on the laptop. */
export const hqHome = (env: Environment = wholeEnvironment()): string =>
  envValue('OPENCLAW_HQ_HOME', env) ?? envPaths('openclaw-hq', { suffix: '' }).config

/** Where clients on this machine reach hostd. @throws {Problem} `config_invalid` */
export const hostdUrl = (env: Environment = wholeEnvironment()): string =>
  envValue('OPENCLAW_HOSTD_URL', env) ?? `http://127.0.0.1:${envValue('OPENCLAW_HOSTD_PORT', env)}`

/** @throws {RangeError} when `id` is not a run id: it is checked before it touches a path */
export function runFolder(base: string, id: string): string {
  if (!runIdPattern.test(id)) throw new RangeError(`not a run id: ${JSON.stringify(id)}`)
  return join(base, id)
}
