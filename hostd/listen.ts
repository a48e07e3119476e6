import { removeVariables } from '#ops/base/env'
import { chmodSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import ipaddr from 'ipaddr.js'
import type { FastifyInstance, FastifyListenOptions } from 'fastify'
import { serverLimits } from '#ops/base/http/bounded-server'
import { refusals } from './app.ts'
import { acceptTailscaled } from './http/tailnet-peers.ts'

/**
 * hostd may be bound to loopback only; any other address could be reached by others.
 * @returns why it is refused, or null
 */
export function refusedAddress(address: string): string | null {
  if (!ipaddr.isValid(address)) return `${JSON.stringify(address)} is not an IP address`
  return ipaddr.parse(address).range() === 'loopback'
    ? null
    : `${address} is not a loopback address`
}

/** @returns the port it got @throws the system's error: EADDRINUSE, EACCES */
export async function listenTcp(app: FastifyInstance, host: string, port: number): Promise<number> {
  await app.listen({ host, port })
  return (app.server.address() as AddressInfo).port
}

/** Descriptors that systemd passes to the process it starts; the first is 3 (sd_listen_fds(3)). */
const firstPassed = 3
const systemdVariables = ['LISTEN_FDS', 'LISTEN_PID', 'LISTEN_FDNAMES']

/**
 * The sockets that were passed to this process, in the order of its socket unit. The variables that name them are
 * removed from the environment: they are meant for this process alone.
 */
export function passedSockets(): number[] {
  const env = removeVariables((name) => systemdVariables.includes(name))
  const count = Number(env['LISTEN_FDS'])
  const ours = env['LISTEN_PID'] === String(process.pid) && Number.isInteger(count) && count > 0
  return ours ? Array.from({ length: count }, (_, n) => firstPassed + n) : []
}

/**
 * Serves the sockets that were passed: the loopback port, the unix socket of the console, and the one of tailscaled,
 * which units of an older release do not have. systemd keeps them: while hostd restarts, requests wait.
 * @param tailnetPath where the socket of tailscaled is
 * @returns the port, and the servers of the unix sockets
 * @throws {Error} when a descriptor is something else, or is bound to an address that others can reach; when another
 *   account could open the folder of tailscaled's socket
 */
export async function listenPassed(
  app: FastifyInstance,
  [tcp, unix, tailnet, ...more]: readonly number[],
  tailnetPath: string,
): Promise<{ port: number; sockets: Server[] }> {
  if (tcp === undefined || unix === undefined || more.length > 0)
    throw new Error(
      'the socket unit must pass the loopback port, then the unix socket, then the one of tailscaled',
    )
  // Passed on to Node, which takes the descriptor.
  const options: FastifyListenOptions & { fd: number } = { fd: tcp, host: '127.0.0.1' }
  await app.listen(options)
  const bound = app.server.address()
  if (bound === null || typeof bound === 'string')
    throw new Error('the first socket that was passed is not a TCP socket')
  const why = refusedAddress(bound.address)
  if (why !== null) throw new Error(`the socket unit binds ${bound.address}: ${why}`)
  const sockets = [await listenUnix(app, unix)]
  if (tailnet !== undefined) {
    refuseOpenFolder(tailnetPath)
    const server = await listenUnix(app, tailnet)
    acceptTailscaled(server)
    sockets.push(server)
  }
  return { port: bound.port, sockets }
}

/** @throws {Error} when the descriptor is not a unix socket */
async function listenUnix(app: FastifyInstance, fd: number): Promise<Server> {
  const server = serverOf(app)
  await listening(server, () => server.listen({ fd }))
  // Node names no path for a descriptor: only what has an address and port is something else.
  if (server.address() !== null)
    throw new Error(`the socket that was passed as descriptor ${fd} is not a unix socket`)
  return server
}

/** Stops accepting and answers what came in. Streams that go on are cut after `limitMs`; their readers come back. */
export async function drain(servers: readonly Server[], limitMs: number): Promise<void> {
  const ended = servers.map(
    (server) =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
      }),
  )
  await Promise.race([Promise.all(ended), delay(limitMs)])
}

/** A further server of the same app, with the same limits. */
function serverOf(app: FastifyInstance): Server {
  const server = createServer(serverLimits, (request, response) => app.routing(request, response))
  server.on('clientError', refusals.clientError)
  refusals.attach(server)
  return server
}

const listening = (server: Server, listen: () => void): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.once('listening', resolve)
    listen()
  })

/** Serves the same app over a unix socket. A file that a killed hostd left is replaced: the caller holds the lock. */
export async function listenSocket(app: FastifyInstance, path: string): Promise<Server> {
  rmSync(path, { force: true })
  const server = serverOf(app)
  await listening(server, () => server.listen(path))
  chmodSync(path, 0o660)
  return server
}

/**
 * The same for tailscaled, whose word on who calls is taken. So no other account may open the folder of the socket.
 * @throws {Error} when another account could
 */
export async function listenTailnet(app: FastifyInstance, path: string): Promise<Server> {
  refuseOpenFolder(path)
  const server = await listenSocket(app, path)
  acceptTailscaled(server)
  return server
}

/** The folder belongs to root, under systemd, or to hostd itself. One that is gone leads nobody to the socket. */
function refuseOpenFolder(path: string): void {
  const folder = statSync(dirname(path), { throwIfNoEntry: false })
  if (folder === undefined) return
  if ((folder.mode & 0o077) !== 0 || (folder.uid !== 0 && folder.uid !== process.getuid?.()))
    throw new Error(`others than hostd may open ${dirname(path)}`)
}
