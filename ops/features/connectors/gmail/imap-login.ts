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

/**
 * Logs in once, and out again, over TLS from the first byte. It sends nothing before the certificate is verified,
 * never connects without TLS, and does not try a refused password again.
 * @throws {Problem} `connector_refused`, `connector_insecure`, `connector_unreachable`;
 *   `connector_answer_unexpected` for a server that says more than a login takes; when `signal` fires, its reason
 */
export async function imapLogin(
  { host, port, ca }: ImapServer,
  { user, password, signal, limitMs }: ImapLogin,
): Promise<void> {
  signal.throwIfAborted()
  const peer = `${host}:${port}`
  let tooMuch = false
  const client = new ImapFlow({
    host,
    port,
    secure: true,
    auth: { user, pass: password },
    verifyOnly: true,
    logger: false,
    disableAutoIdle: true,
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true, ...(ca === null ? {} : { ca }) },
    connectionTimeout: limitMs,
    greetingTimeout: limitMs,
    socketTimeout: limitMs,
    transport: countedTransport(() => {
      tooMuch = true
      client.close()
    }),
  })
  // `connect` throws the same error; without a listener the event would end the process.
  client.on('error', () => undefined)
  const stop = (): void => client.close()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await client.connect()
  } catch (error) {
    signal.throwIfAborted()
    if (tooMuch)
      throw new Problem(
        'connector_answer_unexpected',
        `${peer} sent more than ${maxBytes} bytes for a login; the rest was not read.`,
        { cause: error },
      )
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

/** Most bytes that a server may send, whatever their form: a login takes a few hundred. */
const maxBytes = 1024 * 1024

/** TLS as the library opens it, with its bytes counted. @param onTooMuch called once when there are too many */
const countedTransport = (onTooMuch: () => void): NonNullable<ImapFlowOptions['transport']> => ({
  connect: ({ host, port, servername, tls }, onConnect) => {
    let received = 0
    const socket = connect(
      { ...tls, host, port, ...(servername === undefined ? {} : { servername }) },
      () => {
        onConnect()
        socket.on('data', (chunk: Buffer) => {
          const before = received
          received += chunk.length
          if (before <= maxBytes && received > maxBytes) onTooMuch()
        })
      },
    )
    return socket
  },
})

const refusedLogin = (error: unknown): boolean =>
  error instanceof Error && 'authenticationFailed' in error && error.authenticationFailed === true
