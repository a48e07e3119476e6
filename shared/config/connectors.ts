import { isLoopbackHostname } from './loopback.ts'
import { z } from 'zod'

/** Where a secret is sent: TLS, or this machine itself. */
const peerUrl = z.url().refine((text) => {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password, search, hash } = new URL(text)
  return (
    (protocol === 'https:' || (protocol === 'http:' && isLoopbackHostname(hostname))) &&
    username === '' &&
    password === '' &&
    search === '' &&
    hash === ''
  )
}, 'must be https, or http to this machine itself, without user, query and fragment')

const hostname = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/,
    'must be a host name in lower case, without scheme and port',
  )
const path = z.string().regex(/^\/[^\s?#]*$/, 'must be a path that starts with /')
const timeoutSeconds = z
  .number()
  .int()
  .min(1)
  .max(60)
  .default(20)
  .describe('Time limit of one check, seconds.')

/** Is `host` one of `hosts`, or below one of them? */
export const isHostOf = (host: string, hosts: readonly string[]): boolean =>
  hosts.some((each) => host === each || (host.endsWith(`.${each}`) && !/^[\d.]+$/.test(each)))

/** `kajabi` of host.json: how this host signs in at Kajabi. */
export const kajabiSettings = z
  .strictObject({
    mode: z
      .literal('storage_state')
      .default('storage_state')
      .describe('How this host signs in: with a captured login.'),
    storage_state_secret_ref: z
      .string()
      .regex(/^soma_kajabi\/[a-z0-9][a-z0-9_-]*\.json$/, 'must be soma_kajabi/<name>.json')
      .default('soma_kajabi/kajabi_storage_state.json')
      .describe('File of the captured login, below `$OPENCLAW_ETC/secrets/`.'),
    base_url: peerUrl.default('https://app.kajabi.com').describe('Address of Kajabi.'),
    hosts: z
      .array(hostname)
      .min(1)
      .default(['kajabi.com'])
      .describe(
        'Hosts whose cookies, subdomains included, a login may hold. Any other makes it invalid.',
      ),
    check_path: path
      .default('/admin')
      .describe('Page that only a signed-in user gets; the check requests it.'),
    login_paths: z
      .array(path)
      .min(1)
      .default(['/login', '/users/sign_in'])
      .describe('Where Kajabi redirects a user who is not signed in.'),
    timeout_seconds: timeoutSeconds,
  })
  .superRefine(({ base_url, hosts }, context) => {
    if (URL.canParse(base_url) && !isHostOf(new URL(base_url).hostname, hosts))
      context.addIssue({ code: 'custom', path: ['base_url'], message: 'must be on one of hosts' })
  })
export type KajabiSettings = z.infer<typeof kajabiSettings>

/** `gmail` of host.json: how this host reads mail. */
export const gmailSettings = z.strictObject({
  mode: z
    .enum(['oauth_desktop', 'oauth_device', 'imap'])
    .default('oauth_desktop')
    .describe('How this host reads mail: with an OAuth token or over IMAP.'),
  scope: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be one scope')
    .default('https://www.googleapis.com/auth/gmail.readonly')
    .describe('Scope that the token must have.'),
  token_url: peerUrl
    .default('https://oauth2.googleapis.com/token')
    .describe('Where the token is refreshed.'),
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
  timeout_seconds: timeoutSeconds,
})
export type GmailSettings = z.infer<typeof gmailSettings>
