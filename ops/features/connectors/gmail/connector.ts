import type { Connector } from '../common/connector.ts'
import { secretFile } from '../common/read-secret.ts'
import { clientFile, gmailClient, gmailImap, gmailToken, imapFile, tokenFile } from './secrets.ts'

const byToken = ['oauth_desktop', 'oauth_device']

export const gmail: Connector<'gmail'> = {
  secrets: () => ({
    client: secretFile(clientFile, byToken, gmailClient),
    oauth: secretFile(tokenFile, byToken, gmailToken),
    imap: secretFile(imapFile, ['imap'], gmailImap),
  }),
  // Only the library that the mode uses is loaded.
  check: async (request) =>
    request.settings.mode === 'imap'
      ? await (await import('./check-imap.ts')).checkGmailImap(request)
      : await (await import('./check-token.ts')).checkGmailToken(request),
  renews: ({ mode }) => byToken.includes(mode),
  revoke: async (request) => await (await import('./revoke-token.ts')).revokeGmailToken(request),
}
