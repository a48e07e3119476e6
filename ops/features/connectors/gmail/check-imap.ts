import { readFileSync } from 'node:fs'
import { connect } from 'node:tls'
import { ImapFlow, type ImapFlowOptions } from 'imapflow'
import { Problem } from '#shared/errors'
import { connectionProblem } from '../common/request-peer.ts'
import type { CheckRequest, Found } from '../common/connector.ts'
import { readSecret } from '../common/read-secret.ts'
import { gmailImap, imapFile } from './secrets.ts'

/**
 * Logs in at Gmail with user and app password, and out again, over TLS from the first byte. It sends nothing before the
 * certificate is verified, and never connects without TLS.
 *
 * @throws {Problem} the classes of `readSecret`, `connector_refused`, `connector_insecure`, `connector_unreachable`;
 *   `connector_answer_unexpected` for a server that says more than a login takes
 */
export async function checkGmailImap({
  settings,
  locate,
  rules,
  signal,
}: CheckRequest<'gmail'>): Promise<Found> {
  const { GMAIL_USER: user, GMAIL_APP_PASSWORD: pass } = readSecret(
    locate(imapFile),
    gmailImap,
    rules,
  )
  const peer = `${settings.imap_host}:${settings.imap_port}`
  // The limit of the check ends it first. These are only for a client that does not end when it is closed.
  const limitMs = settings.timeout_seconds * 2000
  let tooMuch = false
  const client = new ImapFlow({
    host: settings.imap_host,
    port: settings.imap_port,
    secure: true,
    auth: { user, pass },
    verifyOnly: true,
    logger: false,
    disableAutoIdle: true,
    tls: {
      minVersion: 'TLSv1.2',
      rejectUnauthorized: true,
      ...certificates(settings.imap_ca_file),
    },
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
    return {
      detail: `${peer} accepted the login over TLS; HQ logged out again.`,
      account: user,
    }
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

/** @throws {Problem} `config_invalid` */
function certificates(path: string | null): { ca?: string } {
  if (path === null) return {}
  try {
    return { ca: readFileSync(path, 'utf8') }
  } catch (error) {
    throw new Problem(
      'config_invalid',
      `gmail.imap_ca_file of host.json: ${path} cannot be read. No request was sent.`,
      { cause: error },
    )
  }
}
