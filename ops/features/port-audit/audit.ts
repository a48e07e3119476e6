import type { ProjectConfig } from '#shared/config'
import { fail, pass, skip, type Check, type Finding } from '#ops/core/checks/check'
import { processesOf } from '#ops/host/engines/process/service-process'
import { readRecords } from '#ops/core/host-state/service-record'
import type { HostPaths } from '#ops/base/paths/paths'
import {
  isLoopback,
  listenersOn,
  openSockets,
  socketName,
  type OpenSocket,
} from '#ops/platform/net/sockets'

export type PortExceptions = ProjectConfig['ports']['exceptions']

/** Which of these can be reached from outside the machine, apart from those the configuration names with a reason? */
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

/** Sockets of the processes that hold a listener on `port`, and every listener on it whoever holds it. */
function aroundPort(port: number, sockets: readonly OpenSocket[]): OpenSocket[] {
  const listeners = listenersOn(port, sockets)
  const pids = new Set(listeners.flatMap((socket) => socket.pids))
  return sockets.filter(
    (socket) => listeners.includes(socket) || socket.pids.some((pid) => pids.has(pid)),
  )
}

/**
 * The port audit of a host with engine `process`: HQ's own processes and the services it started.
 * @param hostdPort port of hostd's listener @param why the rest of the machine is not judged
 */
export function portChecks(
  paths: HostPaths,
  hostdPort: number,
  exceptions: PortExceptions,
  why: string,
): Check[] {
  const remedy = 'close_public_port'
  const sockets = openSockets()
  const services = readRecords(paths).map((record): Check => ({
    name: `ports:${record.name}`,
    remedy,
    run: () => {
      const pids = new Set(processesOf(record))
      const own = sockets.filter(
        (socket) =>
          (socket.protocol === 'tcp' && socket.port === record.port) ||
          socket.pids.some((pid) => pids.has(pid)),
      )
      return judge(own, exceptions, skip(`${record.name} has no socket open.`))
    },
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
      run: () => skip(`Sockets of other programs on this machine are not judged: ${why}.`),
    },
  ]
}
