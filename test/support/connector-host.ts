import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connectorReportsOf, type ConnectorReport } from '#shared/connectors'
import { requiredConnectors } from '#shared/connectors/used'
import { checkConnectors } from '#ops/features/connectors/check-connectors'
import { gmailScope } from '#shared/connectors/gmail'
import { connectorSecrets } from '#ops/base/paths/connector-paths'
import { readHostSettings } from '#ops/core/config/settings-files'
import { imapPeer, kajabi, webPeer, type ImapPeer, type WebPeer } from './connector-peers.ts'
import { googleHere, type GoogleHere } from './google-here.ts'
import { ImapMailbox } from './imap-mailbox.ts'
import { hq, testHost, type TestHost } from './hostd.ts'

const session = 'kjbSessionLoopback0123456789abcdef'
const user = 'ada@example.test'
const password = 'abcd efgh ijkl mnop'

/** Everything secret of this host; none of it may be in anything but the files. */
export const secretTexts = [
  session,
  'GOCSPX-loopbackClientSecret-0001',
  password,
  password.replaceAll(' ', ''),
  'local-storage-token-0815',
] as const

const cookie = (name: string, value: string, more: Record<string, unknown> = {}) => ({
  name,
  value,
  domain: '127.0.0.1',
  path: '/',
  expires: Math.floor(Date.now() / 1000) + 3600,
  httpOnly: true,
  secure: false,
  sameSite: 'Lax',
  ...more,
})
/** A captured login, as Playwright gives it. */
export const login = (...cookies: readonly Record<string, unknown>[]) => ({
  cookies: [cookie('_kjb_session', session), cookie('locale', 'en', { expires: -1 }), ...cookies],
  origins: [
    {
      origin: 'http://127.0.0.1',
      localStorage: [{ name: 'token', value: 'local-storage-token-0815' }],
    },
  ],
})
export { cookie, session }

interface Reports {
  readonly kajabi: ConnectorReport
  readonly gmail: ConnectorReport
}

function both(reports: unknown): Reports {
  const [first, second] = connectorReportsOf(requiredConnectors).parse(reports)
  if (first === undefined || second === undefined) throw new Error('a report is missing')
  return { kajabi: first, gmail: second }
}

export interface ConnectorHost {
  readonly host: TestHost
  readonly kajabi: WebPeer
  readonly google: GoogleHere
  readonly imap: ImapPeer
  readonly folder: string
  /** Both connectors as they must be, whatever a test did to them; Gmail by its token. */
  reset(): Promise<void>
  /** Changes host.json; what was changed before stays. */
  settings(change: {
    kajabi?: Record<string, unknown>
    gmail?: Record<string, unknown>
    launcher?: string
  }): void
  /** Gmail by IMAP. */
  useImap(change?: Record<string, unknown>): void
  write(name: string, content: unknown, mode?: number): string
  /** A refresh token for these scopes, in its file. @returns the token */
  signIn(scopes: readonly string[]): Promise<string>
  /** What lies in the file of the refresh token. */
  token(): { readonly refresh_token: string }
  /** The reports, checked in this process: the class of a fault does not depend on the process. */
  check(): Promise<Reports>
  /** The reports of the program that an action starts, and everything it printed. */
  checkByProgram(env?: Record<string, string>): Promise<Reports & { said: string }>
  remove(): Promise<void>
}

/** A host with a Kajabi, a Google and an IMAP server on loopback, and the secrets for them. */
export async function connectorHost(): Promise<ConnectorHost> {
  const host = testHost()
  const [kajabiPeer, google, imap] = [
    await webPeer(kajabi(session)),
    await googleHere(),
    await imapPeer({ user, pass: password.replaceAll(' ', '') }),
  ]
  const folder = connectorSecrets(host.paths)
  const plain: {
    launcher: string
    kajabi: Record<string, unknown>
    gmail: Record<string, unknown>
  } = {
    launcher: 'process',
    kajabi: { base_url: kajabiPeer.url, hosts: ['127.0.0.1'], timeout_seconds: 60 },
    gmail: {
      token_url: `${google.url}/token`,
      revoke_url: `${google.url}/revoke`,
      api_url: google.url,
      imap_host: '127.0.0.1',
      imap_port: imap.port,
      imap_ca_file: imap.caFile,
      timeout_seconds: 60,
    },
  }
  let now = plain
  const made: ConnectorHost = {
    host,
    kajabi: kajabiPeer,
    google,
    imap,
    folder,
    settings: ({ kajabi: first = {}, gmail = {}, launcher = now.launcher }) => {
      now = { launcher, kajabi: { ...now.kajabi, ...first }, gmail: { ...now.gmail, ...gmail } }
      writeFileSync(host.paths.hostSettings, JSON.stringify({ name: 'test-host', ...now }))
    },
    useImap: (change = {}) => made.settings({ gmail: { mode: 'imap', ...change } }),
    write: (name, content, mode = 0o640) => {
      const path = join(folder, name)
      rmSync(path, { force: true, recursive: true })
      writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
      chmodSync(path, mode)
      return path
    },
    signIn: async (scopes) => {
      const refresh_token = await google.refreshToken(scopes)
      made.write('gmail_oauth.json', {
        schema_version: 1,
        client_id: google.client.client_id,
        refresh_token,
        scopes,
        issued_at: new Date().toISOString(),
      })
      return refresh_token
    },
    token: () =>
      JSON.parse(readFileSync(join(folder, 'gmail_oauth.json'), 'utf8')) as {
        refresh_token: string
      },
    reset: async () => {
      rmSync(folder, { recursive: true, force: true })
      mkdirSync(folder)
      chmodSync(folder, 0o750)
      now = plain
      made.settings({})
      kajabiPeer.answer = kajabi(session)
      kajabiPeer.requests.length = 0
      google.mailbox.reset()
      Object.assign(imap.mailbox, new ImapMailbox())
      Object.assign(google, { api: null, rotates: false, instead: null })
      google.requests.length = 0
      made.write('kajabi_storage_state.json', login())
      made.write('gmail_client.json', {
        installed: {
          ...google.client,
          project_id: 'p',
          auth_uri: 'https://accounts.google.com/o/oauth2/auth',
          redirect_uris: ['http://localhost'],
        },
      })
      await made.signIn([gmailScope])
      made.write('gmail_imap.json', { GMAIL_USER: user, GMAIL_APP_PASSWORD: password })
    },
    check: async () =>
      both(
        await checkConnectors({
          settings: readHostSettings(host.paths),
          paths: host.paths,
          signal: new AbortController().signal,
        }),
      ),
    checkByProgram: async (env = {}) => {
      const { code, out, err } = await hq(host, ['connectors', '--probe'], env)
      if (code !== 0) throw new Error(`the check ended with ${String(code)}: ${err}`)
      return { ...both(JSON.parse(out)), said: out + err }
    },
    remove: async () => {
      await Promise.all([kajabiPeer.close(), google.close(), imap.close()])
      await host.remove()
    },
  }
  await made.reset()
  return made
}

/** The refresh token that lies on the host now. */
export const tokenOf = (at: ConnectorHost): string => at.token().refresh_token
