import { connect } from 'node:tls'
import { ImapFlow, type ImapFlowOptions } from 'imapflow'
import { Problem } from '#shared/errors'
import { connectionProblem } from '../common/request-peer.ts'

export interface ImapServer {
  readonly host: string
  readonly port: number
  /** Certificates (PEM) that are trusted for it; null: those of Node. */
  readonly ca: string | null
}

interface ImapLogin {
  readonly user: string
  readonly password: string
  readonly signal: AbortSignal
  /** Longest silence of the server, milliseconds. */
  readonly limitMs: number
}

interface ImapWork<T> {
  /** Only log in, and out again. */
  readonly verifyOnly: boolean
  /** Most bytes that the server may send, whatever their form. */
  readonly maxBytes: number
  /** What the bytes are for, in a message. */
  readonly purpose: string
  readonly run: (client: ImapFlow) => Promise<T>
}

/** Most bytes of one line, whatever the work: the library holds a line whole. A login takes a few hundred in all. */
const maxLineBytes = 1024 * 1024

/**
 * Logs in once, and out again.
 * @throws {Problem} the classes of `imapSession`
 */
export const imapLogin = (server: ImapServer, login: ImapLogin): Promise<void> =>
  imapSession(server, login, {
    verifyOnly: true,
    maxBytes: maxLineBytes,
    purpose: 'a login',
    run: () => Promise.resolve(),
  })

/**
 * Logs in over TLS from the first byte, does some work, and ends the connection. It sends nothing before the
 * certificate is verified, never connects without TLS, and does not try a refused password again.
 * @throws {Problem} `connector_refused`, `connector_insecure`, `connector_unreachable`;
 *   `connector_answer_unexpected` for a server that says more than `maxBytes`, or a line of more than 1 MiB; when
 *   `signal` fires, its reason; what `run` throws
 */
export async function imapSession<T>(
  { host, port, ca }: ImapServer,
  { user, password, signal, limitMs }: ImapLogin,
  { verifyOnly, maxBytes, purpose, run }: ImapWork<T>,
): Promise<T> {
  signal.throwIfAborted()
  const peer = `${host}:${port}`
  let tooMuch: string | null = null
  const client = new ImapFlow({
    host,
    port,
    secure: true,
    auth: { user, pass: password },
    verifyOnly,
    logger: false,
    disableAutoIdle: true,
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true, ...(ca === null ? {} : { ca }) },
    connectionTimeout: limitMs,
    greetingTimeout: limitMs,
    socketTimeout: limitMs,
    transport: countedTransport((received, line) => {
      if (received > maxBytes) tooMuch ??= `${maxBytes} bytes for ${purpose}`
      else if (line > maxLineBytes) tooMuch ??= `${maxLineBytes} bytes in one line`
      if (tooMuch !== null) client.close()
    }),
  })
  // `connect` throws the same error; without a listener the event would end the process.
  client.on('error', () => undefined)
  const stop = (): void => client.close()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await client.connect()
    return await run(client)
  } catch (error) {
    signal.throwIfAborted()
    if (tooMuch !== null)
      throw new Problem(
        'connector_answer_unexpected',
        `${peer} sent more than ${String(tooMuch)}; the rest was not read.`,
        { cause: error },
      )
    if (error instanceof Problem) throw error
    if (refusedLogin(error))
      throw new Problem('connector_refused', `${peer} refused the user and the app password.`, {
        cause: error,
      })
    throw connectionProblem(peer, error)
  } finally {
    signal.removeEventListener('abort', stop)
    client.close()
  }
}

/**
 * TLS as the library opens it, with its bytes counted.
 * @param onBytes is given how many were received, and how many of them since the last end of a line
 */
const countedTransport = (
  onBytes: (received: number, line: number) => void,
): NonNullable<ImapFlowOptions['transport']> => ({
  connect: ({ host, port, servername, tls }, onConnect) => {
    let received = 0
    let line = 0
    const socket = connect(
      { ...tls, host, port, ...(servername === undefined ? {} : { servername }) },
      () => {
        onConnect()
        socket.on('data', (chunk: Buffer) => {
          received += chunk.length
          const end = chunk.lastIndexOf(lineFeed)
          line = end === -1 ? line + chunk.length : chunk.length - end - 1
          onBytes(received, line)
        })
      },
    )
    return socket
  },
})
const lineFeed = 10

const refusedLogin = (error: unknown): boolean =>
  error instanceof Error && 'authenticationFailed' in error && error.authenticationFailed === true
