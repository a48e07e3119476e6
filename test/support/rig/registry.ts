import { readFileSync } from 'node:fs'
import { createServer, request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { Socket } from 'node:net'
import { must } from './programs.ts'
import type { Rig } from './rig.ts'

export interface Registry {
  /** What the machine's npm needs to know of it. */
  readonly npmrc: string
  close(): void
}

const npmSetting = async (name: string): Promise<string> =>
  (await must(['npm', 'config', 'get', name], { cwd: '/' })).trim()

/** This side's package registry, whichever npm is set up with, as an address that the machine can reach. */
export async function serveRegistry(rig: Rig): Promise<Registry> {
  const upstream = new URL(await npmSetting('registry'))
  const cafile = await npmSetting('cafile')
  const ca = cafile === 'null' || cafile === '' ? {} : { ca: readFileSync(cafile) }
  const connections = new Set<Socket>()
  const server = createServer((asked, answer) => {
    const url = new URL(`${upstream.pathname.replace(/\/$/, '')}${asked.url ?? '/'}`, upstream)
    const { host: _host, connection: _connection, ...headers } = asked.headers
    const forward =
      url.protocol === 'https:'
        ? tlsRequest(url, { method: asked.method, headers, ...ca })
        : plainRequest(url, { method: asked.method, headers })
    forward.on('response', (came) => {
      answer.writeHead(came.statusCode ?? 502, came.headers)
      came.pipe(answer)
    })
    forward.on('error', () => {
      answer.destroy()
    })
    asked.pipe(forward)
  })
  server.on('connection', (socket) => {
    connections.add(socket)
    socket.on('close', () => connections.delete(socket))
    socket.on('error', () => undefined)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, rig.outside, resolve)
  })
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new Error('the registry has no port')
  return {
    npmrc: `registry=http://${rig.outside}:${bound.port}/\nreplace-registry-host=always\n`,
    close: () => {
      for (const socket of connections) socket.destroy()
      server.close()
    },
  }
}
