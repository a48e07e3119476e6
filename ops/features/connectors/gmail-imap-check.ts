import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ImapFlow } from 'imapflow'
import type { GmailSettings } from '#shared/config/connectors'
import { Problem } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import { connectionProblem } from './bounded-fetch.ts'
import { connectorSecrets } from '#ops/base/paths/connector-paths'
import { readSecret, type ReadRules } from './secret-files.ts'
import { gmailImap } from './secret-kinds.ts'

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
      `gmail.imap_ca_file of host.json: ${path} cannot be read. Nobody was asked.`,
      { cause: error },
    )
  }
}

/**
 * Does Gmail take user and app password? A real login over TLS from the first byte, and out again. Before the certificate
 * is believed nothing is sent, and there is no way without TLS.
 *
 * @returns what was found, for a person
 * @throws {Problem} the classes of `readSecret`, `connector_refused`, `connector_insecure`, `connector_unreachable`
 */
export async function checkGmailImap(
  settings: GmailSettings,
  paths: Pick<HostPaths, 'etc'>,
  rules: ReadRules,
  signal: AbortSignal,
): Promise<string> {
  const { GMAIL_USER: user, GMAIL_APP_PASSWORD: pass } = readSecret(
    join(connectorSecrets(paths), 'gmail_imap.json'),
    gmailImap,
    rules,
  )
  const peer = `${settings.imap_host}:${settings.imap_port}`
  const limitMs = settings.timeout_seconds * 1000
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
  })
  // What `connect` was told as well; without a listener it would end the process.
  client.on('error', () => undefined)
  const stop = (): void => client.close()
  signal.addEventListener('abort', stop, { once: true })
  try {
    await client.connect()
    return `${peer} took the login over TLS, and was left again.`
  } catch (error) {
    signal.throwIfAborted()
    if (refusedLogin(error))
      throw new Problem('connector_refused', `${peer} refused user and app password.`, {
        cause: error,
      })
    throw connectionProblem(peer, error)
  } finally {
    signal.removeEventListener('abort', stop)
    client.close()
  }
}
