// Which connections come from tailscaled.
import type { IncomingMessage, Server } from 'node:http'
import type { Socket } from 'node:net'

const sockets = new WeakSet<Socket>()

/** Every connection of this server comes from tailscaled: nobody else may open the folder of its socket. */
export function acceptTailscaled(server: Server): void {
  server.on('connection', (socket: Socket) => sockets.add(socket))
}

/** The request came through the socket of tailscaled, so what it says of the caller is true. */
export const throughTailscaled = (request: IncomingMessage): boolean => sockets.has(request.socket)
