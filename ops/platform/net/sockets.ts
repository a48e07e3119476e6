import { hasCode } from '#shared/system-error'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import ipaddr from 'ipaddr.js'
import { Problem } from '#shared/errors'
import { processIds } from '#ops/base/process/process-stat'
import { endpointName } from './addresses.ts'

/** A socket that takes what others send: a TCP listener, or a UDP socket that is not tied to one peer. */
export interface OpenSocket {
  readonly protocol: 'tcp' | 'udp'
  /** Numeric address it is bound to, `0.0.0.0` and `::` included. */
  readonly address: string
  readonly port: number
  /** Processes that hold it; empty when they belong to another user and cannot be seen. */
  readonly pids: readonly number[]
}

const tables = [
  ['tcp', 'tcp'],
  ['tcp', 'tcp6'],
  ['udp', 'udp'],
  ['udp', 'udp6'],
] as const
/** Kernel states: TCP_LISTEN, and TCP_CLOSE, which is what an unconnected UDP socket has. */
const openState = { tcp: '0A', udp: '07' } as const

export const socketName = ({ protocol, address, port }: OpenSocket): string =>
  endpointName(protocol, address, port)

/**
 * @returns every open socket of this network namespace
 * @throws {Problem} `internal_error` when the tables cannot be read
 */
export function openSockets(): OpenSocket[] {
  return process.platform === 'linux' ? fromProc() : fromLsof(runLsof())
}

function fromProc(): OpenSocket[] {
  const rows = tables.flatMap(([protocol, file]) => {
    let text: string
    try {
      text = readFileSync(`/proc/net/${file}`, 'utf8')
    } catch (error) {
      // A kernel without IPv6 has no such table; without the IPv4 one nothing can be said.
      if (file.endsWith('6') && hasCode(error, 'ENOENT')) return []
      throw new Problem(
        'internal_error',
        `The kernel's socket table /proc/net/${file} cannot be read.`,
        { cause: error },
      )
    }
    return parseTable(text, protocol)
  })
  const owners =
    rows.length === 0
      ? new Map<string, number[]>()
      : socketOwners(new Set(rows.map(({ inode }) => inode)))
  return rows.map(({ inode, ...socket }) => ({ ...socket, pids: owners.get(inode) ?? [] }))
}

/** One of the tables /proc/net/{tcp,tcp6,udp,udp6}; the layout is the one of proc(5). */
export function parseTable(
  text: string,
  protocol: 'tcp' | 'udp',
): { protocol: 'tcp' | 'udp'; address: string; port: number; inode: string }[] {
  return text
    .trim()
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const [, local = '', remote = '', state, , , , , , inode = ''] = line.trim().split(/\s+/)
      if (state !== openState[protocol] || !remote.endsWith(':0000')) return []
      const [hex = '', port = ''] = local.split(':')
      return [{ protocol, address: addressOf(hex), port: Number.parseInt(port, 16), inode }]
    })
}

/** The kernel prints 32-bit words in the machine's own byte order, which is little-endian wherever HQ runs. */
function addressOf(hex: string): string {
  const words = hex.match(/.{8}/g) ?? []
  const bytes = words.flatMap((word) =>
    (word.match(/../g) ?? []).toReversed().map((byte) => Number.parseInt(byte, 16)),
  )
  return ipaddr.fromByteArray(bytes).toString()
}

function socketOwners(inodes: ReadonlySet<string>): Map<string, number[]> {
  const owners = new Map<string, number[]>()
  for (const pid of processIds()) {
    let descriptors: string[]
    try {
      descriptors = readdirSync(`/proc/${pid}/fd`)
    } catch {
      continue // ended, or another user's: its sockets stay without an owner, which the audit reports
    }
    for (const fd of descriptors) {
      let inode: string | undefined
      try {
        inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]
      } catch {
        continue // closed between the listing and this read
      }
      if (inode === undefined || !inodes.has(inode)) continue
      const pids = owners.get(inode) ?? []
      if (!pids.includes(pid)) owners.set(inode, [...pids, pid])
    }
  }
  return owners
}

function runLsof(): string {
  try {
    return execFileSync('lsof', ['-nP', '-iTCP', '-sTCP:LISTEN', '-iUDP', '-F', 'pPtn'], {
      encoding: 'utf8',
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  } catch (error) {
    // lsof exits 1 both for "nothing found" and when part of the list could not be read.
    if (
      error instanceof Error &&
      'status' in error &&
      error.status === 1 &&
      'stdout' in error &&
      typeof error.stdout === 'string'
    )
      return error.stdout
    throw new Problem('internal_error', 'lsof could not list the open sockets.', { cause: error })
  }
}

/** Output of `lsof -F pPtn`: one field a line; p starts a process, f a file. */
export function fromLsof(text: string): OpenSocket[] {
  const found = new Map<
    string,
    { protocol: 'tcp' | 'udp'; address: string; port: number; pids: number[] }
  >()
  let pid = 0
  let protocol: string | undefined
  let family: string | undefined
  for (const line of text.split('\n')) {
    const value = line.slice(1)
    switch (line[0]) {
      case 'p':
        pid = Number(value)
        break
      case 't':
        family = value
        break
      case 'P':
        protocol = value.toLowerCase()
        break
      case 'n': {
        const match = /^(.*):(\d+)$/.exec(value)
        if (!match || value.includes('->') || (protocol !== 'tcp' && protocol !== 'udp')) break
        const host = match[1] ?? ''
        const everywhere = family === 'IPv6' ? '::' : '0.0.0.0'
        const address = host === '*' ? everywhere : host.replace(/^\[|\]$/g, '')
        const key = `${protocol} ${address} ${match[2]}`
        const known = found.get(key) ?? { protocol, address, port: Number(match[2]), pids: [] }
        if (!known.pids.includes(pid)) known.pids.push(pid)
        found.set(key, known)
        break
      }
      default: // fields that say nothing about the socket
    }
  }
  return [...found.values()]
}

/** Who listens on this TCP port? Used before a port is taken. */
export const listenersOn = (
  port: number,
  sockets: readonly OpenSocket[] = openSockets(),
): OpenSocket[] => sockets.filter((socket) => socket.protocol === 'tcp' && socket.port === port)

/** Name of the program behind a process id, for a message; `?` when it cannot be read. */
export function programName(pid: number): string {
  if (process.platform !== 'linux') return '?'
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return '?' // it has ended
  }
}
