import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import {
  createServer as createPlainServer,
  type AddressInfo,
  type Server as NetServer,
  type Socket,
} from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { ImapMailbox } from './imap-mailbox.ts'

/** Listens on a free loopback port. @returns the port, and an end that does not wait for anybody */
export async function listen(
  server: Server | NetServer,
): Promise<{ port: number; close: () => Promise<void> }> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      if (!server.listening) return
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

export interface WebPeer {
  readonly url: string
  readonly port: number
  readonly requests: { readonly path: string; readonly cookie: string | undefined }[]
  /** How it answers; set by the test. */ answer: RequestListener
  readonly close: () => Promise<void>
}

export async function webPeer(answer: RequestListener): Promise<WebPeer> {
  const requests: { path: string; cookie: string | undefined }[] = []
  const server = createServer((request, response) => {
    requests.push({ path: request.url ?? '', cookie: request.headers.cookie })
    peer.answer(request, response)
  })
  const { port, close } = await listen(server)
  const peer: WebPeer = { url: `http://127.0.0.1:${port}`, port, requests, answer, close }
  return peer
}

/** A service that knows one value of one header. */
export const acceptsToken =
  (value: string, header = 'authorization'): RequestListener =>
  (request, response) =>
    response.writeHead(request.headers[header] === value ? 200 : 401).end('<!doctype html>')

/** Takes every connection, and never says anything. */
export const silentPeer = (): Promise<{ port: number; close: () => Promise<void> }> =>
  listen(createPlainServer(() => undefined))

/** Kajabi, as far as somebody who is signed in or not can tell: `/admin` sends on to the dashboard, or to the login. */
export const kajabi =
  (session: string): RequestListener =>
  (request, response) => {
    const signedIn = (request.headers.cookie ?? '').split('; ').includes(`_kjb_session=${session}`)
    if (!signedIn) response.writeHead(302, { location: '/login' }).end()
    else if (request.url === '/admin')
      response.writeHead(302, { location: '/admin/sites/1/dashboard' }).end()
    else
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(request.url === '/admin/products' ? libraryPage : '<!doctype html><h1>Dashboard</h1>')
  }

/** A page of the library, with two items of its own. */
export const libraryPage = `<!doctype html><title>Products &amp; more</title>
  <nav><a href="/admin">Home</a></nav>
  <a href="/admin/products/1"><img alt=""></a> <a href="/admin/products/1">Course <b>one</b></a>
  <a href="/admin/products/2?tab=a">&lt;i&gt;Two&lt;/i&gt;</a>
  <a href="https://elsewhere.example/admin/products/3">Three</a>`

export interface ImapPeer {
  readonly port: number
  /** The certificate it shows. */ readonly caFile: string
  /** Everything that a client said to it, decrypted. */ said(): string
  readonly mailbox: ImapMailbox
  /** Bytes of its flood that the connection took. */ flooded(): number
  readonly close: () => Promise<void>
}

/** A certificate for this machine itself, of today. */
export function ownCertificate(): { dir: string; key: string; cert: string } {
  const dir = mkdtempSync(join(tmpdir(), 'openclaw-imap-'))
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=127.0.0.1',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      cert,
    ],
    { stdio: 'ignore' },
  )
  return { dir, key, cert }
}

/** The part of IMAP4rev1 (RFC 3501) that a login and a harvest need. @param tls false: it greets in plain text, as on port 143 */
export async function imapPeer({
  user,
  pass,
  tls = true,
  flood,
}: {
  user: string
  pass: string
  tls?: boolean
  /** What it sends without end, in place of the answer to a command or of its greeting. */
  flood?: {
    readonly at: 'greeting' | 'CAPABILITY' | 'AUTHENTICATE' | 'SEARCH'
    readonly text: string
  }
}): Promise<ImapPeer> {
  const { dir, key, cert } = ownCertificate()
  const mailbox = new ImapMailbox()
  let said = ''
  let flooded = 0
  const pour = (socket: Socket): void => {
    const piece = Buffer.from((flood?.text ?? '').repeat(1000))
    while (!socket.destroyed && socket.write(piece)) flooded += piece.length
    socket.once('drain', () => pour(socket))
  }
  const serve = (socket: Socket): void => {
    let rest = ''
    let asked: string | null = null
    const answerTo = (line: string): string => {
      if (asked !== null) {
        const [tag, given] = [asked, Buffer.from(line, 'base64').toString()]
        asked = null
        return given === `\0${user}\0${pass}`
          ? `${tag} OK done\r\n`
          : `${tag} NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n`
      }
      const [tag = '*', command = ''] = line.split(' ')
      const done = `${tag} OK done\r\n`
      switch (command.toUpperCase()) {
        case 'CAPABILITY':
          return `* CAPABILITY IMAP4rev1 AUTH=PLAIN${mailbox.capability()}\r\n${done}`
        case 'AUTHENTICATE': {
          asked = tag
          return '+ \r\n'
        }
        case 'LOGOUT':
          return `* BYE\r\n${done}`
        default:
          return mailbox.answer(tag, line.slice(tag.length + 1)) ?? done
      }
    }
    socket.on('error', () => undefined)
    if (flood?.at === 'greeting') pour(socket)
    else socket.write('* OK ready\r\n')
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1')
      const lines = (rest + chunk.toString('latin1')).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines)
        if (flood !== undefined && line.toUpperCase().includes(flood.at)) pour(socket)
        else socket.write(answerTo(line))
    })
  }
  const server = tls
    ? createTlsServer({ key: readFileSync(key), cert: readFileSync(cert) }, serve)
    : createPlainServer(serve)
  const { port, close } = await listen(server)
  return {
    port,
    caFile: cert,
    mailbox,
    said: () => said,
    flooded: () => flooded,
    close: async () => {
      await close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}
