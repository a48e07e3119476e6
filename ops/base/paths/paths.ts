import { dirname, isAbsolute, join } from 'node:path'
import envPaths from 'env-paths'
import { runIdPattern } from '#shared/ids'

type Environment = Readonly<Record<string, string | undefined>>

/** Every folder and file of a host, each defined here once (design §4, §13). */
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
  /** Where hostd asks for runs on a host with systemd. */
  readonly runnerSocket: string
  /** hostd's own, in a folder that the console's container mounts. */
  readonly publicSocket: string
}

const defaults = {
  OPENCLAW_ROOT: '/opt/ai-ops-runner',
  OPENCLAW_ETC: '/etc/ai-ops-runner',
  OPENCLAW_STATE: '/var/lib/ai-ops-runner',
  OPENCLAW_SOCKETS: '/run/openclaw',
}

function absolute(env: Environment, name: string, fallback: string): string {
  const value = env[name] ?? fallback
  if (!isAbsolute(value))
    throw new RangeError(`${name} must be an absolute path, not ${JSON.stringify(value)}`)
  return value
}

/** @throws {RangeError} when a variable is not an absolute path */
export function hostPaths(env: Environment): HostPaths {
  const root = absolute(env, 'OPENCLAW_ROOT', defaults.OPENCLAW_ROOT)
  const etc = absolute(env, 'OPENCLAW_ETC', defaults.OPENCLAW_ETC)
  const state = absolute(env, 'OPENCLAW_STATE', defaults.OPENCLAW_STATE)
  const artifacts = absolute(env, 'OPENCLAW_ARTIFACTS', join(root, 'artifacts'))
  const sockets = absolute(env, 'OPENCLAW_SOCKETS', defaults.OPENCLAW_SOCKETS)
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
export const hqHome = (env: Environment): string =>
  absolute(env, 'OPENCLAW_HQ_HOME', envPaths('openclaw-hq', { suffix: '' }).config)

/** @returns port of hostd, 8877 unless `OPENCLAW_HOSTD_PORT` says otherwise @throws {RangeError} on anything but 0 to 65535 */
export function hostdPort(env: Environment): number {
  const text = env['OPENCLAW_HOSTD_PORT'] ?? '8877'
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port > 65535)
    throw new RangeError(`OPENCLAW_HOSTD_PORT must be a port number, not ${JSON.stringify(text)}`)
  return port
}

/** Where clients on this machine reach hostd. */
export const hostdUrl = (env: Environment): string =>
  env['OPENCLAW_HOSTD_URL'] ?? `http://127.0.0.1:${hostdPort(env)}`

/** @throws {RangeError} when `id` is no run id: it is checked before it touches a path */
export function runFolder(base: string, id: string): string {
  if (!runIdPattern.test(id)) throw new RangeError(`not a run id: ${JSON.stringify(id)}`)
  return join(base, id)
}
