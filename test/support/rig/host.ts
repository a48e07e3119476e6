import { readFileSync } from 'node:fs'
import { runReply } from '#shared/api'
import type { ActionId } from '#shared/actions'
import { isEnded, runFile, type RunFile } from '#shared/run'
import { adminTokenHeader } from '#shared/api'
import { hostPaths } from '#ops/base/paths/paths'
import { packageInside, type SocketRequest, type Rig } from './rig.ts'
import { until } from './patience.ts'

/** Paths of a host as it is installed in production. */
export const productionPaths = hostPaths({})
/** What the installer answers once it has nothing to do, on a host without Tailscale. */
export const nothingToChange = {
  code: 0,
  out: 'Nothing to change.\n',
  err:
    'Tailscale is not installed on this machine. ' +
    'hostd and the console are not published to the tailnet; everything else works.\n',
}
export const installer = `${packageInside}/ops/install_openclaw_hostd.sh`
/** `hq` of the installed release. */
export const hqInside = ['node_modules/.bin/node', 'ops/hq.mjs'].map(
  (part) => `${productionPaths.releases}/current/${part}`,
)

/**
 * Lists of a cgroup's processes: in the hierarchy that systemd tracks services in, whichever the kernel gives it, and
 * its older one.
 */
export const cgroupFiles = (group: string): string[] =>
  ['/sys/fs/cgroup/unified', '/sys/fs/cgroup/systemd', '/sys/fs/cgroup'].map(
    (hierarchy) => `${hierarchy}${group}/cgroup.procs`,
  )

/** The installed host of a rig, as an operator sees it. */
export interface RigHost {
  token(): string
  /** A request to hostd with the token. */
  api(
    path: string,
    options?: SocketRequest & { token?: string | null },
  ): Promise<{ status: number; body: Record<string, unknown> }>
  start(action: ActionId): Promise<string>
  run(id: string): Promise<ReturnType<typeof runReply.parse>['run']>
  ended(id: string, seconds?: number): Promise<ReturnType<typeof runReply.parse>['run']>
  /** The runner's record of a run, once it has made one. */
  record(id: string): Promise<RunFile>
  /** Processes of a unit's cgroup. */
  processesOf(unit: string): Promise<number[]>
  /** A property of a unit. */
  show(unit: string, property: string): Promise<string>
}

export function hostOf(rig: Rig): RigHost {
  const host: RigHost = {
    token: () => readFileSync(rig.path(productionPaths.tokenFile), 'utf8').trim(),
    api: async (path, { token = host.token(), headers = {}, ...options } = {}) => {
      const { status, body } = await rig.request(productionPaths.publicSocket, path, {
        ...options,
        headers: { ...(token === null ? {} : { [adminTokenHeader]: token }), ...headers },
      })
      return { status, body: JSON.parse(body) as Record<string, unknown> }
    },
    start: async (action) => {
      const { status, body } = await host.api('/api/exec', { method: 'POST', body: { action } })
      if (status !== 202)
        throw new Error(`${action} was not started: ${status} ${JSON.stringify(body)}`)
      return String(body['run_id'])
    },
    run: async (id) => runReply.parse((await host.api(`/api/runs?id=${id}`)).body).run,
    ended: async (id, seconds) =>
      await until(
        `${id} to end`,
        async () => {
          const run = await host.run(id)
          return isEnded(run.status) ? run : null
        },
        seconds,
      ),
    record: async (id) =>
      await until(`the record of ${id}`, () => {
        try {
          return runFile.parse(
            JSON.parse(readFileSync(rig.path(`${productionPaths.runs}/${id}/run.json`), 'utf8')),
          )
        } catch (error) {
          if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
          throw error
        }
      }),
    processesOf: async (unit) => {
      const group = await host.show(unit, 'ControlGroup')
      if (group === '') return []
      const { code, out } = await rig.exec(['cat', ...cgroupFiles(group)])
      return code === null
        ? []
        : out
            .split('\n')
            .filter((line) => /^\d+$/.test(line))
            .map(Number)
    },
    show: async (unit, property) =>
      (await rig.must(['systemctl', 'show', '--value', `--property=${property}`, unit])).trim(),
  }
  return host
}
