import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { adminTokenHeader, type StatusReply } from '#shared/api'
import { greenStatus } from './documents.ts'
import { freePort } from './ports.ts'

export interface PeerRequest {
  readonly method: string
  readonly url: string
  readonly token: string | undefined
  readonly body: string
}

/** A loopback peer that speaks hostd's part of shared/api.ts as far as a test tells it to, and can be away. */
export interface HostPeer {
  readonly url: string
  status: StatusReply
  /** Answers by `METHOD /path` (without query), before the rest is looked at. */
  readonly answers: Map<
    string,
    (request: PeerRequest, response: ServerResponse, raw: IncomingMessage) => void
  >
  readonly requests: PeerRequest[]
  /** Nothing listens any more. */
  leave(): Promise<void>
  /** Listens again at the same address. */
  comeBack(): Promise<void>
}

export const json = (response: ServerResponse, code: number, body: unknown): void => {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

export async function hostPeer(token: string, commit: string = 'a'.repeat(40)): Promise<HostPeer> {
  let server: Server | null = null
  const port = await freePort()
  const handle = (raw: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = []
    raw.on('data', (part: Buffer) => parts.push(part))
    raw.on('end', () => {
      const header = raw.headers[adminTokenHeader]
      const request: PeerRequest = {
        method: raw.method ?? '',
        url: raw.url ?? '',
        token: typeof header === 'string' ? header : undefined,
        body: Buffer.concat(parts).toString(),
      }
      peer.requests.push(request)
      const answer = peer.answers.get(
        `${request.method} ${new URL(request.url, 'http://peer').pathname}`,
      )
      if (answer) return answer(request, response, raw)
      if (request.token !== token)
        return json(response, 403, {
          ok: false,
          error_class: 'forbidden',
          detail: 'The admin token is wrong.',
          next_auto_fix: 'enrol_host',
        })
      if (request.url === '/api/status') return json(response, 200, peer.status)
      return json(response, 404, {
        ok: false,
        error_class: 'not_found',
        detail: 'Nothing here.',
        next_auto_fix: 'start_again',
      })
    })
  }
  const peer: HostPeer = {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    status: greenStatus(commit),
    answers: new Map(),
    requests: [],
    leave: async () => {
      const leaving = server
      server = null
      if (!leaving) return
      leaving.closeAllConnections()
      leaving.close()
      await once(leaving, 'close')
    },
    comeBack: async () => {
      server = createServer(handle).listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
  }
  await peer.comeBack()
  return peer
}
