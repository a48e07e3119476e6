import { chmodSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import ipaddr from 'ipaddr.js'
import type { FastifyInstance } from 'fastify'

/** The one address family hostd may be bound to; anything else would put it in reach of others. @returns why it is refused, or null */
export function refusedAddress(address: string): string | null {
  if (!ipaddr.isValid(address)) return `${JSON.stringify(address)} is no IP address`
  return ipaddr.parse(address).range() === 'loopback' ? null : `${address} is not a loopback address`
}

/** @returns the port it got @throws the system's error: EADDRINUSE, EACCES */
export async function listenTcp(app: FastifyInstance, host: string, port: number): Promise<number> {
  await app.listen({ host, port })
  return (app.server.address() as AddressInfo).port
}

/** Serves the same app over a unix socket. A file left by a hostd that was killed is replaced: the caller holds hostd's lock. */
export async function listenSocket(app: FastifyInstance, path: string): Promise<Server> {
  rmSync(path, { force: true })
  const server = createServer((request, response) => app.routing(request, response))
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, resolve)
  })
  chmodSync(path, 0o660)
  return server
}
