import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

const lastPort = 65_535
/** Connections tried at a time. */
const atOnce = 500
/** A port of a computer one cable away that has not answered by then does not answer, milliseconds. */
const answerMs = 2000

/** A datagram may be lost. */
const sendings = 2

/** Does a TCP connection come about? */
export const accepts = (host: string, port: number, localAddress?: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ host, port, ...(localAddress === undefined ? {} : { localAddress }) })
    const end = (open: boolean): void => {
      socket.destroy()
      resolve(open)
    }
    socket.setTimeout(answerMs, () => end(false))
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false)) // refused, or no way there
  })

/** Tries every TCP port of an address from this side. @returns those that accept a connection */
export async function openTcpPorts(host: string): Promise<number[]> {
  const open: number[] = []
  let next = 1
  const work = async (): Promise<void> => {
    while (next <= lastPort) {
      const port = next
      next += 1
      if (await accepts(host, port)) open.push(port)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return open.toSorted((a, b) => a - b)
}

/** Sends a datagram to every UDP port of an address from this side. @returns those that answer */
export async function answeringUdpPorts(host: string): Promise<number[]> {
  const answered = new Set<number>()
  const family = host.includes(':') ? 6 : 4
  const socket = createSocket({
    type: `udp${family}`,
    // It is an address: nothing to look up for each of them.
    lookup: (address, _options, found) => found(null, address, family),
  })
  socket.on('message', (_message, { port }) => answered.add(port))
  let fault: Error | null = null
  socket.on('error', (error) => {
    fault = error
  })
  try {
    for (let sent = 0; sent < sendings * lastPort; sent += 1) {
      socket.send('x', (sent % lastPort) + 1, host)
      // Sent faster than this, they are dropped on the way.
      if (sent % 100 === 0) await delay(1)
    }
    await delay(answerMs)
    if (fault !== null) throw fault as Error
  } finally {
    socket.close()
  }
  return [...answered].toSorted((a, b) => a - b)
}
