import type { Connector } from '../common/connector.ts'

export const gmail: Connector<'gmail'> = {
  // Only the library that the mode uses is loaded.
  check: async (request) =>
    request.settings.mode === 'imap'
      ? await (await import('./check-imap.ts')).checkGmailImap(request)
      : await (await import('./check-token.ts')).checkGmailToken(request),
}
