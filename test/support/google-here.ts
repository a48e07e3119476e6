import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { Provider } from 'oidc-provider'
import { gmailScope } from '#shared/connectors/gmail'
import { listen } from './connector-peers.ts'
import { MailboxPeer } from './mailbox-peer.ts'

/** The person in front of the browser, and what they do. */
interface Person {
  /** Their mailbox is `<name>@example.test`. */
  name: string
  /** Scopes that they leave checked; null: they refuse. */
  allows: readonly string[] | null
}

export interface GoogleHere {
  readonly url: string
  readonly client: { readonly client_id: string; readonly client_secret: string }
  /** The content of the client file that it offers. */
  clientFile(change?: Record<string, unknown>): string
  readonly person: Person
  /** A refresh token as a sign-in leaves it. */
  refreshToken(scopes: readonly string[]): Promise<string>
  /** Withdraws it, as its owner can at any time. */
  revoke(token: string): Promise<void>
  isValid(token: string): Promise<boolean>
  /** Answers of the API with this status, whatever the token. */
  api: number | null
  /** It gives a refresh token to who requests offline access. */
  offline: boolean
  /** It gives a new refresh token at each refresh, and the old one ends. */
  rotates: boolean
  /** Answers some endpoints otherwise; true: it has answered. */
  instead: ((request: IncomingMessage, response: ServerResponse) => boolean) | null
  /** Method and path of each request. */
  readonly requests: string[]
  /** Access tokens that the API was shown. */
  readonly bearers: string[]
  readonly mailbox: MailboxPeer
  readonly close: () => Promise<void>
}

/** A real OAuth server, with Gmail's profile behind its access tokens. */
export async function googleHere(): Promise<GoogleHere> {
  const client = {
    client_id: 'desk-client.apps.example.test',
    client_secret: 'GOCSPX-loopbackClientSecret-0001',
  }
  let provider: Provider | null = null
  const handle: RequestListener = (request, response) => {
    const path = (request.url ?? '').replace(/\?.*/, '')
    google.requests.push(`${request.method} ${path}`)
    if (google.instead?.(request, response) === true) return
    if (path === '/gmail/v1/users/me/profile') void profile(request, response)
    else if (path.startsWith('/gmail/v1/users/me/messages')) void messages(request, response)
    else if (path.startsWith('/interaction/') && provider !== null)
      void interact(provider, google.person, { request, response })
    else void provider?.callback()(request, response)
  }
  const messages = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    google.bearers.push(bearer)
    if (await provider?.AccessToken.find(bearer)) google.mailbox.answer(request, response)
    else response.writeHead(401).end()
  }
  const profile = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    google.bearers.push(bearer)
    const token = await provider?.AccessToken.find(bearer)
    const status =
      google.api ?? (token === undefined ? 401 : token.scopes.has(gmailScope) ? 200 : 403)
    const name = token?.accountId ?? 'ada'
    response
      .writeHead(status, { 'content-type': 'application/json' })
      .end(
        JSON.stringify(
          status === 200
            ? { emailAddress: `${name}@example.test`, messagesTotal: 3 }
            : { error: { code: status } },
        ),
      )
  }
  const { port, close } = await listen(createServer(handle))
  const url = `http://127.0.0.1:${port}`
  provider = new Provider(url, {
    clients: [
      {
        ...client,
        application_type: 'native',
        token_endpoint_auth_method: 'client_secret_post',
        redirect_uris: ['http://127.0.0.1/'],
        grant_types: [
          'authorization_code',
          'refresh_token',
          'urn:ietf:params:oauth:grant-type:device_code',
        ],
        response_types: ['code'],
      },
    ],
    scopes: ['offline_access', gmailScope, 'other'],
    extraParams: ['access_type'],
    findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    features: {
      devInteractions: { enabled: false },
      deviceFlow: { enabled: true },
      revocation: { enabled: true },
    },
    routes: { device_authorization: '/device/code', revocation: '/revoke' },
    interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    issueRefreshToken: async () => google.offline,
    rotateRefreshToken: () => google.rotates,
    ttl: { AccessToken: 60, RefreshToken: 600, Grant: 600, Interaction: 600, Session: 600 },
    cookies: { keys: ['test'] },
  })
  const made = provider
  const google: GoogleHere = {
    url,
    client,
    clientFile: (change = {}) =>
      JSON.stringify({
        installed: {
          ...client,
          project_id: 'p',
          auth_uri: `${url}/auth`,
          token_uri: `${url}/token`,
          redirect_uris: ['http://localhost'],
          ...change,
        },
      }),
    person: { name: 'ada', allows: [gmailScope] },
    api: null,
    offline: true,
    rotates: false,
    instead: null,
    requests: [],
    bearers: [],
    mailbox: new MailboxPeer(),
    close,
    refreshToken: async (scopes) => {
      const grant = new made.Grant({ accountId: 'ada', clientId: client.client_id })
      const scope = ['offline_access', ...scopes].join(' ')
      grant.addOIDCScope(scope)
      const found = await made.Client.find(client.client_id)
      if (found === undefined) throw new Error('the client is not there')
      const token = new made.RefreshToken({
        accountId: 'ada',
        client: found,
        grantId: await grant.save(),
        scope,
        gty: 'authorization_code',
        expiresWithSession: false,
        iiat: Math.floor(Date.now() / 1000),
      })
      return await token.save()
    },
    isValid: async (token) => (await made.RefreshToken.find(token)) !== undefined,
    revoke: async (token) => {
      await (await made.RefreshToken.find(token))?.destroy()
    },
  }
  return google
}

/** What the person does on the pages of the sign-in. */
async function interact(
  provider: Provider,
  { name, allows }: Person,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const { prompt, params } = await provider.interactionDetails(request, response)
  if (allows === null) {
    await provider.interactionFinished(request, response, { error: 'access_denied' })
    return
  }
  if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: name } })
    return
  }
  const grant = new provider.Grant({ accountId: name, clientId: String(params['client_id']) })
  grant.addOIDCScope(allows.join(' '))
  const requested = String(params['scope']).split(' ')
  grant.rejectOIDCScope(requested.filter((scope) => !allows.includes(scope)).join(' '))
  await provider.interactionFinished(request, response, {
    consent: { grantId: await grant.save() },
  })
}

interface Page {
  readonly url: string
  readonly status: number
  readonly html: string
}

/**
 * A browser as far as a sign-in needs one: it follows redirects, keeps cookies and presses the button of each form.
 * @returns the last page
 */
export async function browse(url: string): Promise<Page> {
  const cookies = new Map<string, string>()
  const load = async (first: string, form?: URLSearchParams): Promise<Page> => {
    let at = first
    for (let hop = 0; hop < 20; hop += 1) {
      const answer = await fetch(at, {
        redirect: 'manual',
        headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        ...(hop === 0 && form !== undefined ? { method: 'POST', body: form } : {}),
      })
      for (const cookie of answer.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? []
        cookies.set(name, value)
      }
      const next = answer.headers.get('location')
      if (next === null) return { url: at, status: answer.status, html: await answer.text() }
      at = new URL(next, at).href
    }
    throw new Error('the browser was redirected too often')
  }
  let page = await load(url)
  for (let pressed = 0; pressed < 5; pressed += 1) {
    const action = /<form[^>]*action="([^"]+)"/.exec(page.html)?.[1]
    if (action === undefined) return page
    const form = new URLSearchParams()
    for (const [input] of page.html.matchAll(/<input[^>]*>/g))
      form.set(/name="([^"]+)"/.exec(input)?.[1] ?? '', /value="([^"]*)"/.exec(input)?.[1] ?? 'yes')
    page = await load(new URL(action, page.url).href, form)
  }
  throw new Error('the browser was shown forms without end')
}
