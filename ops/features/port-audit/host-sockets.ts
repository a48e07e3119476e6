import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { endpointName, isPrivateAddress, type Exposure } from '#ops/platform/net/exposure'
import { openSockets, programName, type OpenSocket } from '#ops/platform/net/sockets'

/** Who holds a socket, as far as it can be seen. */
export interface SocketOwner {
  readonly pid: number
  readonly name: string
  /** Path of its program; null when it cannot be read. */
  readonly program: string | null
  /** Id of the container it runs in; null on the host itself. */
  readonly container: string | null
}

export interface OwnedSocket extends OpenSocket {
  readonly owners: readonly SocketOwner[]
}

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null // the process has ended, or belongs to another user
  }
}

function programOf(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/exe`)
  } catch {
    return null // the same
  }
}

/** The control groups of a container end in its id, on every version of them. */
export const containerOf = (cgroup: string | null): string | null =>
  /(?:docker[-/]|\/docker\/)([0-9a-f]{64})/.exec(cgroup ?? '')?.[1] ?? null

export const ownerOf = (pid: number): SocketOwner => ({
  pid,
  name: programName(pid),
  program: programOf(pid),
  container: containerOf(read(`/proc/${pid}/cgroup`)),
})

/** A program of the system: nobody but root could have put it there. */
function isSystemProgram(program: string): boolean {
  try {
    return [program, dirname(program)].every((path) => {
      const { uid, mode } = statSync(path)
      return uid === 0 && (mode & 0o022) === 0
    })
  } catch {
    return false // replaced or gone since
  }
}

const dhcpClients = new Set(['systemd-networkd', 'dhclient', 'dhcpcd', 'NetworkManager', 'udhcpc'])

/** What every host of a tailnet has open: the tunnel itself, and the client that gets the host its address. */
function isHostPlumbing(
  { protocol, port, owners }: OwnedSocket,
  isSystem: (program: string) => boolean,
): boolean {
  if (protocol !== 'udp' || owners.length === 0) return false
  return owners.every(({ program, container }) => {
    if (program === null || container !== null || !isSystem(program)) return false
    const name = basename(program)
    return name === 'tailscaled' || ((port === 68 || port === 546) && dhcpClients.has(name))
  })
}

const keyOf = ({ protocol, address, port, pids }: OpenSocket): string =>
  `${protocol} ${address} ${port} ${pids.join(',')}`

/** Ports that the kernel gives to whoever asks for any, as a question sent by UDP does for a moment. */
function passingPorts(): readonly [number, number] {
  const [first, last] = (read('/proc/sys/net/ipv4/ip_local_port_range') ?? '')
    .trim()
    .split(/\s+/)
    .map(Number)
  return [first ?? 32768, last ?? 60999]
}

/**
 * Sockets of this network namespace that others could reach, with their owners. A UDP socket on a port of the passing
 * kind counts only when it is still there a moment later.
 * @throws {Problem} `internal_error` when the kernel's tables cannot be read
 */
export async function reachableSockets(signal?: AbortSignal): Promise<OwnedSocket[]> {
  const outside = (): OpenSocket[] =>
    openSockets().filter(({ address }) => !isPrivateAddress(address))
  const [first, last] = passingPorts()
  const passing = ({ protocol, port }: OpenSocket): boolean =>
    protocol === 'udp' && port >= first && port <= last
  const sockets = outside()
  let stay = new Set(sockets.map(keyOf))
  if (sockets.some(passing)) {
    await delay(300, undefined, signal ? { signal } : {})
    stay = new Set(outside().map(keyOf))
  }
  return sockets
    .filter((socket) => !passing(socket) || stay.has(keyOf(socket)))
    .map((socket) => ({ ...socket, owners: socket.pids.map(ownerOf) }))
}

/**
 * @param published `protocol port` of what Docker publishes: its proxy's sockets are judged there
 * @param nameOf name of a container by its id
 */
export function socketExposures(
  sockets: readonly OwnedSocket[],
  {
    published = new Set<string>(),
    nameOf = () => null,
    isSystem = isSystemProgram,
  }: {
    published?: ReadonlySet<string>
    nameOf?: (container: string) => string | null
    isSystem?: (program: string) => boolean
  } = {},
): Exposure[] {
  return sockets.flatMap((socket) => {
    const { protocol, address, port, owners } = socket
    if (isPrivateAddress(address) || isHostPlumbing(socket, isSystem)) return []
    if (
      published.has(`${protocol} ${port}`) &&
      owners.length > 0 &&
      owners.every(({ name }) => name === 'docker-proxy')
    )
      return []
    const [owner] = owners
    const container = owner?.container ?? null
    const service =
      owner === undefined
        ? 'the kernel, or a process that cannot be seen'
        : container === null
          ? owner.name
          : (nameOf(container) ?? owner.name)
    const who =
      owner === undefined
        ? service
        : `process ${owner.pid} (${owner.name})${container === null ? '' : ` in container ${nameOf(container) ?? container.slice(0, 12)}`}`
    const subject = endpointName(protocol, address, port)
    return [
      {
        code: 'public_socket',
        service,
        subject,
        detail: `${who} listens on ${subject}`,
        pointer: owner?.program ?? 'kernel socket table',
        port: { protocol, number: port },
      },
    ]
  })
}
