import { readFileSync, readlinkSync, statSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Exposure } from '#ops/platform/net/exposure'
import { openSockets, programName, type OpenSocket } from '#ops/platform/net/sockets'
import { endpointName, isPrivateAddress } from '#ops/platform/net/addresses'

/** The process that holds a socket, as far as this process may read it. */
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
    return null // as in read()
  }
}

/** The control group of a container ends in its id, in every version of control groups. */
export const containerOf = (cgroup: string | null): string | null =>
  /(?:docker[-/]|\/docker\/)([0-9a-f]{64})/.exec(cgroup ?? '')?.[1] ?? null

export const ownerOf = (pid: number): SocketOwner => ({
  pid,
  name: programName(pid),
  program: programOf(pid),
  container: containerOf(read(`/proc/${pid}/cgroup`)),
})

/** A program of the system: only root can have installed it. */
export function isSystemProgram(program: string): boolean {
  try {
    return [program, dirname(program)].every((path) => {
      const { uid, mode } = statSync(path)
      return uid === 0 && (mode & 0o022) === 0
    })
  } catch {
    return false // replaced or removed meanwhile
  }
}

const dhcpClients = new Set(['systemd-networkd', 'dhclient', 'dhcpcd', 'NetworkManager', 'udhcpc'])

/** A socket that every host of a tailnet has open: the tunnel itself, or the client that requests an address. */
function isExpectedOfAHost(
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

/** The ports that the kernel assigns to a program that names none, such as one that sends a request by UDP. */
function ephemeralPorts(): readonly [number, number] {
  const [first, last] = (read('/proc/sys/net/ipv4/ip_local_port_range') ?? '')
    .trim()
    .split(/\s+/)
    .map(Number)
  return [first ?? 32768, last ?? 60999]
}

/** A UDP socket whose port the kernel chose: as a rule, it waits for one answer. */
export function isEphemeral({ protocol, port }: Pick<OpenSocket, 'protocol' | 'port'>): boolean {
  const [first, last] = ephemeralPorts()
  return protocol === 'udp' && port >= first && port <= last
}

/**
 * Sockets of this network namespace that others could reach, with their owners. A UDP socket on an ephemeral port
 * counts only if it still exists a moment later.
 * @throws {Problem} `internal_error` when the kernel's tables cannot be read
 */
export async function reachableSockets(signal?: AbortSignal): Promise<OwnedSocket[]> {
  const outside = (): OpenSocket[] =>
    openSockets().filter(({ address }) => !isPrivateAddress(address))
  const sockets = outside()
  let lasting = new Set(sockets.map(keyOf))
  if (sockets.some(isEphemeral)) {
    await delay(300, undefined, signal ? { signal } : {})
    lasting = new Set(outside().map(keyOf))
  }
  return sockets
    .filter((socket) => !isEphemeral(socket) || lasting.has(keyOf(socket)))
    .map((socket) => ({ ...socket, owners: socket.pids.map(ownerOf) }))
}

/**
 * @param published `protocol port` of what Docker publishes; ports:docker judges the sockets of its proxy
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
    if (isPrivateAddress(address) || isExpectedOfAHost(socket, isSystem)) return []
    if (
      published.has(`${protocol} ${port}`) &&
      owners.length > 0 &&
      owners.every(({ name }) => name === 'docker-proxy')
    )
      return []
    const [owner] = owners
    const { service, holder } = holderOf(owner, nameOf)
    const subject = endpointName(protocol, address, port)
    return [
      {
        code: 'public_socket',
        service,
        subject,
        detail: `${holder} listens on ${subject}`,
        pointer: owner?.program ?? 'kernel socket table',
        port: { protocol, number: port },
      },
    ]
  })
}

/** How a message names the owner of a socket. */
function holderOf(
  owner: SocketOwner | undefined,
  nameOf: (container: string) => string | null,
): { service: string; holder: string } {
  if (owner === undefined) {
    const unknown = 'the kernel, or a process that cannot be seen'
    return { service: unknown, holder: unknown }
  }
  const { pid, name, container } = owner
  const process = `process ${pid} (${name})`
  if (container === null) return { service: name, holder: process }
  const containerName = nameOf(container)
  return {
    service: containerName ?? name,
    holder: `${process} in container ${containerName ?? container.slice(0, 12)}`,
  }
}
