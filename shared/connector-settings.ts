import { z } from 'zod'

const isLoopback = (hostname: string): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(hostname)

/** Where a secret is sent: TLS, or this machine itself. */
const peerUrl = z.url().refine((text) => {
  if (!URL.canParse(text)) return false
  const { protocol, hostname, username, password, search, hash } = new URL(text)
  return (
    (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) &&
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
/** Of one check of one connector, whatever it asks. */
const timeoutSeconds = z.number().int().min(1).max(60).default(20)

/** Is `host` one of `hosts`, or below one of them? */
export const isHostOf = (host: string, hosts: readonly string[]): boolean =>
  hosts.some((each) => host === each || (host.endsWith(`.${each}`) && !/^[\d.]+$/.test(each)))

/** `kajabi` of host.json (design §9). */
export const kajabiSettings = z
  .strictObject({
    mode: z.literal('storage_state').default('storage_state'),
    /** The captured login, below `$OPENCLAW_ETC/secrets/`. */
    storage_state_secret_ref: z
      .string()
      .regex(/^soma_kajabi\/[a-z0-9][a-z0-9_-]*\.json$/, 'must be soma_kajabi/<name>.json')
      .default('soma_kajabi/kajabi_storage_state.json'),
    base_url: peerUrl.default('https://app.kajabi.com'),
    /** Hosts that a captured cookie may be of, with what is below them. A login with any other cookie is refused. */
    hosts: z.array(hostname).min(1).default(['kajabi.com']),
    /** Page that only somebody who is signed in gets; the check asks for it. */
    check_path: path.default('/admin'),
    /** Where Kajabi sends who is not signed in. */
    login_paths: z.array(path).min(1).default(['/login', '/users/sign_in']),
    timeout_seconds: timeoutSeconds,
  })
  .superRefine(({ base_url, hosts }, context) => {
    if (URL.canParse(base_url) && !isHostOf(new URL(base_url).hostname, hosts))
      context.addIssue({ code: 'custom', path: ['base_url'], message: 'must be on one of hosts' })
  })
export type KajabiSettings = z.infer<typeof kajabiSettings>

/** `gmail` of host.json (design §9). */
export const gmailSettings = z.strictObject({
  mode: z.enum(['oauth_desktop', 'oauth_device', 'imap']).default('oauth_desktop'),
  /** What the token must be good for. */
  scope: z
    .string()
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be one scope')
    .default('https://www.googleapis.com/auth/gmail.readonly'),
  token_url: peerUrl.default('https://oauth2.googleapis.com/token'),
  api_url: peerUrl.default('https://gmail.googleapis.com'),
  imap_host: hostname.default('imap.gmail.com'),
  /** A port that speaks TLS from the first byte; there is no other way. */
  imap_port: z.number().int().min(1).max(65535).default(993),
  /** Certificates (PEM) that are believed there instead of those of Node. */
  imap_ca_file: z.string().startsWith('/').nullable().default(null),
  timeout_seconds: timeoutSeconds,
})
export type GmailSettings = z.infer<typeof gmailSettings>
