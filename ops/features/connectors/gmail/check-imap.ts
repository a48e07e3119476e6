import { certificatesOf } from '../common/certificates.ts'
import type { CheckRequest, Found } from '../common/connector.ts'
import { readSecret } from '../common/read-secret.ts'
import { imapLogin, type ImapServer } from './imap-login.ts'
import { gmailImap, imapFile } from './secrets.ts'

/**
 * Logs in at Gmail with user and app password, and out again.
 * @throws {Problem} the classes of `readSecret` and `imapLogin`; `config_invalid` for the file of certificates
 */
export async function checkGmailImap(request: CheckRequest<'gmail'>): Promise<Found> {
  const { server, login } = imapAccess(request)
  // The limit of the check ends it first. This is only for a client that does not end when it is closed.
  await imapLogin(server, { ...login, limitMs: request.settings.timeout_seconds * 2000 })
  return {
    detail: `${server.host}:${server.port} accepted the login over TLS; HQ logged out again.`,
    account: login.user,
  }
}

/** The server and the login of the host. @throws {Problem} the classes of `readSecret`, `config_invalid` */
export function imapAccess({ settings, locate, rules, signal }: CheckRequest<'gmail'>): {
  readonly server: ImapServer
  readonly login: { readonly user: string; readonly password: string; readonly signal: AbortSignal }
} {
  const { GMAIL_USER: user, GMAIL_APP_PASSWORD: password } = readSecret(
    locate(imapFile),
    gmailImap,
    rules,
  )
  const { imap_host: host, imap_port: port, imap_ca_file } = settings
  return {
    server: { host, port, ca: certificatesOf(imap_ca_file, 'gmail.imap_ca_file') },
    login: { user, password, signal },
  }
}
