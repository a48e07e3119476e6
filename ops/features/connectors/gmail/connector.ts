import { gmailSettings } from '#shared/config/connectors'
import type { Connector } from '../common/connector.ts'
import { clientFile, imapFile, tokenFile } from './secrets.ts'

export const gmail: Connector<'gmail'> = {
  name: 'gmail',
  title: 'Gmail',
  settings: gmailSettings,
  secrets: ({ mode }) =>
    mode === 'imap'
      ? [{ ref: imapFile, holds: 'user and app password' }]
      : [
          { ref: clientFile, holds: 'the OAuth client of Google' },
          { ref: tokenFile, holds: 'the refresh token' },
        ],
  // Only the library that the mode uses is loaded.
  check: async (request) =>
    request.settings.mode === 'imap'
      ? await (await import('./check-imap.ts')).checkGmailImap(request)
      : await (await import('./check-token.ts')).checkGmailToken(request),
  capture: null,
}
