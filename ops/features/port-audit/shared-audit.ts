import type { ProjectConfig } from '#shared/config'
import { fail, pass, skip, type Check, type Finding } from '#ops/core/checks/check'
import type { Engine, EngineHost } from '#ops/host/engines/common/engine'
import { listenersOn, openSockets, socketName, type OpenSocket } from '#ops/platform/net/sockets'
import { isLoopback } from '#ops/platform/net/addresses'

export type PortExceptions = ProjectConfig['ports']['exceptions']

/** Which sockets can be reached from outside the machine, except those that the configuration allows with a reason? */
function judge(
  sockets: readonly OpenSocket[],
  exceptions: PortExceptions,
  whenNone: Finding,
): Finding {
  if (sockets.length === 0) return whenNone
  const outside = sockets.filter(({ address }) => !isLoopback(address))
  const excused = outside.flatMap((socket) => {
    const exception = exceptions.find(
      ({ protocol, port }) => protocol === socket.protocol && port === socket.port,
    )
    return exception ? [{ socket, reason: exception.reason }] : []
  })
  const open = outside.filter((socket) => !excused.some((each) => each.socket === socket))
  if (open.length > 0)
    return fail(`Reachable from outside: ${open.map(socketName).join(', ')}.`, 'close_public_port')
  const allowed = excused
    .map(({ socket, reason }) => `; ${socketName(socket)} is allowed: ${reason}`)
    .join('')
  return pass(`${sockets.map(socketName).join(', ')}: loopback only${allowed}`)
}

/** Every listener on `port`, and every other socket of the processes that hold one. */
function aroundPort(port: number, sockets: readonly OpenSocket[]): OpenSocket[] {
  const listeners = listenersOn(port, sockets)
  const pids = new Set(listeners.flatMap((socket) => socket.pids))
  return sockets.filter(
    (socket) => listeners.includes(socket) || socket.pids.some((pid) => pids.has(pid)),
  )
}

export interface SharedAudit {
  readonly host: EngineHost
  /** The engine whose services are audited. */
  readonly engine: Engine
  /** Port of hostd's listener. */
  readonly hostdPort: number
  readonly exceptions: PortExceptions
  /** Why the rest of the machine is not judged. */
  readonly othersReason: string
}

/** The port audit of a shared machine: the processes of HQ and the services that it started. */
export function sharedPortChecks({
  host,
  engine,
  hostdPort,
  exceptions,
  othersReason,
}: SharedAudit): Check[] {
  const remedy = 'close_public_port'
  const sockets = openSockets()
  let found: ReturnType<Engine['ports']> | null = null
  const open = (): ReturnType<Engine['ports']> => (found ??= engine.ports(host))
  const services = engine.servicesUp(host.paths).map((name): Check => ({
    name: `ports:${name}`,
    remedy,
    run: async () =>
      judge(
        (await open()).filter(({ service }) => service === name),
        exceptions,
        skip(`${name} has no socket open.`),
      ),
  }))
  return [
    {
      name: 'ports:hostd',
      remedy,
      run: () =>
        judge(
          aroundPort(hostdPort, sockets),
          exceptions,
          skip(`Nothing listens on hostd's port ${hostdPort}.`),
        ),
    },
    ...services,
    {
      name: 'ports:others',
      remedy,
      run: () => skip(`Sockets of other programs on this machine are not judged: ${othersReason}.`),
    },
  ]
}
