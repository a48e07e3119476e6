import { chmodSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { tokenOf } from '../../../support/connector-host.ts'
import { imapPeer, ownCertificate } from '../../../support/connector-peers.ts'
import type { Fault, FaultKit } from './fault-kit.ts'

/** What can be wrong with Gmail, its token endpoint, its IMAP server or its secrets. */
export const gmailFaults = (kit: FaultKit): readonly Fault[] => [
  {
    name: 'no token',
    make: () => rmSync(join(kit.at.folder, 'gmail_oauth.json')),
    state: 'not_configured',
    errorClass: 'CONNECTOR_NOT_CONFIGURED',
    detail: /gmail_oauth\.json does not exist/,
  },
  {
    name: 'no client',
    make: () => rmSync(join(kit.at.folder, 'gmail_client.json')),
    state: 'not_configured',
    errorClass: 'CONNECTOR_NOT_CONFIGURED',
    detail: /gmail_client\.json does not exist/,
  },
  {
    name: 'a token that others can read',
    make: () => chmodSync(join(kit.at.folder, 'gmail_oauth.json'), 0o604),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /mode 0604/,
  },
  {
    name: 'a link instead of the client',
    make: () =>
      symlinkSync(kit.aside('gmail_client.json'), join(kit.at.folder, 'gmail_client.json')),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /is a symbolic link/,
  },
  {
    name: 'a token that was given to another client',
    make: () =>
      kit.at.write('gmail_client.json', {
        installed: { ...kit.at.google.client, client_id: 'another' },
      }),
    state: 'invalid',
    errorClass: 'connector_secret_invalid',
    detail: /given to another client/,
  },
  {
    name: 'a token that was revoked',
    make: async () => await kit.at.google.revoke(tokenOf(kit.at)),
    state: 'expired',
    errorClass: 'connector_expired',
    detail: /invalid_grant/,
  },
  {
    name: 'an unknown client',
    make: () =>
      kit.at.write('gmail_client.json', {
        installed: { ...kit.at.google.client, client_secret: 'GOCSPX-not-the-right-one-0002' },
      }),
    state: 'invalid',
    errorClass: 'connector_refused',
    detail: /invalid_client|refused the client/,
  },
  {
    name: 'a token without the scope, whatever the API says',
    make: async () => {
      await kit.at.signIn(['other'])
      kit.at.google.api = 200
    },
    state: 'invalid',
    errorClass: 'connector_scope_missing',
    detail: /not valid for https:\/\/www\.googleapis\.com\/auth\/gmail\.readonly/,
  },
  {
    name: 'an API that refuses the token',
    make: () => {
      kit.at.google.api = 403
    },
    state: 'invalid',
    errorClass: 'connector_scope_missing',
    detail: /not valid for/,
  },
  {
    name: 'an API that does not know the token',
    make: () => {
      kit.at.google.api = 401
    },
    state: 'invalid',
    errorClass: 'connector_refused',
    detail: /received just before \(401\)/,
  },
  {
    name: 'an API that is out of order',
    make: () => {
      kit.at.google.api = 500
    },
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /answered 500/,
  },
  {
    name: 'something that is not an API',
    make: () => kit.at.settings({ gmail: { api_url: kit.at.kajabi.url } }),
    state: 'unreachable',
    errorClass: 'connector_answer_unexpected',
    detail: /not with a profile/,
  },
  {
    name: 'something that is not a token endpoint',
    make: () => kit.at.settings({ gmail: { token_url: `${kit.at.kajabi.url}/admin` } }),
    state: 'unreachable',
    errorClass: 'connector_answer_unexpected',
    detail: /did not answer like a token endpoint/,
  },
  {
    name: 'a token endpoint that is down',
    make: async () => kit.at.settings({ gmail: { token_url: `${await kit.gone()}/token` } }),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /nothing listens at its address/,
  },
  {
    name: 'no user and password',
    make: () => {
      kit.at.useImap()
      rmSync(join(kit.at.folder, 'gmail_imap.json'))
    },
    state: 'not_configured',
    errorClass: 'CONNECTOR_NOT_CONFIGURED',
    detail: /gmail_imap\.json does not exist/,
  },
  {
    name: 'a wrong app password',
    make: () => {
      kit.at.useImap()
      kit.at.write('gmail_imap.json', {
        GMAIL_USER: 'ada@example.test',
        GMAIL_APP_PASSWORD: 'wrong wrong wrong',
      })
    },
    state: 'invalid',
    errorClass: 'connector_refused',
    detail: /refused the user and the app password/,
  },
  {
    name: 'an IMAP server without TLS',
    make: async () => {
      const peer = await imapPeer({ user: 'a', pass: 'b', tls: false })
      kit.closing.push(peer.close, () => expect(peer.said()).not.toMatch(/AUTHENTICATE|LOGIN/))
      kit.at.useImap({ imap_port: peer.port })
    },
    state: 'unreachable',
    errorClass: 'connector_insecure',
    detail: /does not speak TLS with a certificate that this host trusts .* No secret was sent/,
  },
  ...(
    [
      ['a line without end', 'greeting', 'x'],
      ['untagged lines without end', 'CAPABILITY', '* OK still here\r\n'],
      ['a literal without end', 'AUTHENTICATE', '* OK {900000000}\r\n'],
      ['empty lines without end', 'AUTHENTICATE', '\r\n'],
    ] as const
  ).map(([what, at, text]) => ({
    name: `H4 an IMAP server that sends ${what}`,
    make: async () => {
      const peer = await imapPeer({ user: 'a', pass: 'b', flood: { at, text } })
      // The rest is in the buffers of both sides and of the system.
      kit.closing.push(peer.close, () => expect(peer.flooded()).toBeLessThan(32 * 1024 * 1024))
      kit.at.useImap({ imap_port: peer.port, imap_ca_file: peer.caFile, timeout_seconds: 30 })
    },
    state: 'unreachable' as const,
    errorClass: 'connector_answer_unexpected' as const,
    detail: /sent more than 1048576 bytes for a login; the rest was not read/,
  })),
  {
    name: 'an IMAP server with a certificate of no known authority',
    make: () => {
      const { dir, cert } = ownCertificate()
      kit.closing.push(() => rmSync(dir, { recursive: true }))
      kit.at.useImap({ imap_ca_file: cert })
    },
    state: 'unreachable',
    errorClass: 'connector_insecure',
    detail: /No secret was sent/,
  },
  {
    name: 'a certificate file that is missing',
    make: () => kit.at.useImap({ imap_ca_file: '/nowhere/ca.pem' }),
    state: 'invalid',
    errorClass: 'config_invalid',
    detail: /gmail\.imap_ca_file/,
  },
  {
    name: 'an IMAP server that is down',
    make: async () => kit.at.useImap({ imap_port: Number(new URL(await kit.gone()).port) }),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /nothing listens at its address/,
  },
  {
    name: 'a folder that others can read',
    make: () => chmodSync(kit.at.folder, 0o755),
    state: 'invalid',
    errorClass: 'connector_secret_unsafe',
    detail: /mode 0755/,
  },
  {
    name: 'a token endpoint that hangs',
    make: async () =>
      kit.at.settings({
        gmail: { token_url: `http://127.0.0.1:${await kit.silent()}/token`, timeout_seconds: 1 },
      }),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /Gmail gave no answer within 1 s/,
  },
  {
    name: 'an IMAP server that hangs',
    make: async () => kit.at.useImap({ imap_port: await kit.silent(), timeout_seconds: 1 }),
    state: 'unreachable',
    errorClass: 'connector_unreachable',
    detail: /Gmail gave no answer within 1 s/,
  },
]
