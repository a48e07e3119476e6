import { z } from 'zod'
import { harvestFields } from './harvest-fields.ts'
import type { ConnectorRow } from './row.ts'
import type { ConnectField } from './ways.ts'
import { hostname, peerUrl, timeoutSeconds } from './settings-fields.ts'

/** What HQ requests of Google. */
export const gmailScope = 'https://www.googleapis.com/auth/gmail.readonly'

const modes = ['oauth_desktop', 'oauth_device', 'imap'] as const

/** `gmail` of host.json: how this host reads mail. */
const settings = z.strictObject({
  mode: z
    .enum(modes)
    .default('oauth_desktop')
    .describe('How this host reads mail: with an OAuth token or over IMAP.'),
  scope: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be one scope')
    .default(gmailScope)
    .describe('Scope that the token must have.'),
  token_url: peerUrl
    .default('https://oauth2.googleapis.com/token')
    .describe('Where the token is refreshed.'),
  revoke_url: peerUrl
    .default('https://oauth2.googleapis.com/revoke')
    .describe('Where the token is withdrawn when the connector is revoked.'),
  api_url: peerUrl
    .default('https://gmail.googleapis.com')
    .describe('API whose profile is read with the token.'),
  imap_host: hostname.default('imap.gmail.com').describe('IMAP server.'),
  imap_port: z
    .number()
    .int()
    .min(1)
    .max(65535)
    .default(993)
    .describe('Its port. It must speak TLS from the first byte.'),
  imap_ca_file: z
    .string()
    .startsWith('/')
    .nullable()
    .default(null)
    .describe('Certificates (PEM) that are trusted for it instead of those of Node.'),
  harvest_query: z
    .string()
    .max(500)
    // eslint-disable-next-line no-control-regex -- they would end a line of IMAP
    .regex(/^[^\x00-\x1f\x7f]*$/, 'must be one line')
    .default('newer_than:90d')
    .describe('Which messages Phase 0 reads the metadata of, as typed into the search of Gmail.'),
  harvest_fields: z
    .array(z.enum(harvestFields))
    .default([...harvestFields])
    .describe('What is kept of each message besides its id, thread and date.'),
  harvest_max_messages: z
    .number()
    .int()
    .min(1)
    .max(20_000)
    .default(1000)
    .describe('Most messages of one harvest, the newest first.'),
  harvest_max_pages: z
    .number()
    .int()
    .min(1)
    .max(200)
    .default(40)
    .describe('Most pages of the list of messages that are requested, of up to 500 messages each.'),
  harvest_max_bytes: z
    .number()
    .int()
    .min(1024)
    .max(16 * 1024 * 1024)
    .default(8 * 1024 * 1024)
    .describe('Most bytes of `gmail_harvest.jsonl`.'),
  harvest_seconds: z
    .number()
    .int()
    .min(1)
    .max(600)
    .default(300)
    .describe('Time limit of one harvest, seconds. The next run continues from there.'),
  timeout_seconds: timeoutSeconds,
})
export type GmailSettings = z.infer<typeof settings>

/** @returns why a file is not a client file for a desktop app, in a sentence or two; null: it looks like one */
export function clientFileProblem(text: string): string | null {
  let content: unknown
  try {
    content = JSON.parse(text)
  } catch {
    return 'The client file is not JSON.'
  }
  return typeof content === 'object' && content !== null && Object.hasOwn(content, 'web')
    ? 'The client file belongs to a client of the type "Web application". Its sign-in ends at a ' +
        'web server, not on this laptop. Choose the file of a client of the type "Desktop app", or for a ' +
        'device code "TVs and Limited Input devices".'
    : null
}

const clientField: ConnectField = {
  name: 'client',
  label: 'Client file',
  kind: 'file',
  hint: 'gmail_client.json, as Google offers it',
  problem: clientFileProblem,
  kept: true,
}

const accountField: ConnectField = {
  name: 'account',
  label: 'Mailbox',
  kind: 'text',
  hint: 'address; empty: the one that was connected before',
  optional: true,
  kept: true,
}

const scopes = [
  {
    scope: gmailScope,
    text: 'Read all mail and settings of one mailbox. It cannot send, change or delete anything.',
  },
]

export const gmail = {
  title: 'Gmail',
  configuredBy: null,
  modes,
  settings: settings.prefault({}).describe('The Gmail connector.'),
  secretNames: ['gmail_app_password'],
  secrets: ['client', 'oauth', 'imap'],
  disconnect:
    'HQ has Google withdraw the token. An app password stays valid until you withdraw it in the account.',
  ways: {
    oauth_desktop: {
      title: 'Desktop',
      text: 'Allow read access to one mailbox in your own browser. HQ keeps a token, not the password.',
      fields: [clientField, accountField],
      steps: ['client', 'allow', 'exchange', 'send', 'prove'],
      secret: 'oauth',
      scopes,
    },
    oauth_device: {
      title: 'Device code',
      text: 'Enter a short code in a browser on any device. HQ keeps a token, not the password.',
      fields: [clientField, accountField],
      steps: ['client', 'code', 'exchange', 'send', 'prove'],
      secret: 'oauth',
      scopes,
      warning: 'Google allows no Gmail scope with a device code today and answers invalid_scope.',
      instead: 'oauth_desktop',
    },
    imap: {
      title: 'App password',
      text: 'HQ keeps an app password that can be withdrawn in the account, and reads mail over IMAP.',
      fields: [
        { name: 'user', label: 'Address', kind: 'text', hint: 'you@example.com' },
        {
          name: 'password',
          label: 'App password',
          kind: 'secret',
          hint: 'four groups of four letters',
        },
      ],
      steps: ['form', 'check', 'send', 'prove'],
      secret: 'imap',
    },
  },
} as const satisfies ConnectorRow
