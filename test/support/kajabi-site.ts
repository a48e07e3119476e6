import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { text } from 'node:stream/consumers'
import { libraryPage } from './connector-peers.ts'
import { ownCa } from './own-ca.ts'

/** Kajabi on this machine, over TLS: sign-in form, second factor, a page in between, and a session that ends. */
export interface KajabiSite {
  /** `https://app.kajabi.test:<port>`; a browser needs `switches` to find and trust it. */
  readonly url: string
  readonly port: number
  /** The same site by the address of this machine, which a host finds without the names of the test. */
  readonly hostUrl: string
  /** The authority of its certificate, for a host. */
  readonly caFile: string
  /** How a browser finds the names of the test and trusts the authority. */
  readonly switches: readonly string[]
  readonly person: { readonly email: string; readonly password: string; readonly code: string }
  /**
   * Where the site keeps a sign-in; set by the test. `huge`: in a cookie, beside 50 MB of cached content. `once`: the
   * first page that it shows signs everybody out, in every browser.
   */
  keeps: 'cookie' | 'once' | 'sessionStorage' | 'indexedDB' | 'huge'
  /** Seconds that a session cookie lives. */
  sessionSeconds: number
  /** Values that nobody but the browser and the host may ever see. */
  secrets(): readonly string[]
  close(): Promise<void>
}

/** A site that is not Kajabi, whose pixel and pages set a cookie. */
export const foreignHost = 'accounts.other.test'
const cached = ['a1', 'a2', 'a3', 'a4']
const page = (body: string): string =>
  `<!doctype html><meta charset="utf-8"><title>Kajabi</title>${body}`
const form = (action: string, fields: string): string =>
  page(`<form method="post" action="${action}">${fields}<button>Continue</button></form>`)

/** Opens the database of the page in `store`; a script. */
const database = `const opening = indexedDB.open('auth')
  opening.onupgradeneeded = () => opening.result.createObjectStore('auth')
  const store = (mode) => opening.result.transaction('auth', mode).objectStore('auth')`

/** Scripts that keep a token in the browser, and that give it to `show`, by where it is kept. */
const scripts = {
  sessionStorage: {
    keep: (token: string) => `sessionStorage.setItem('token', '${token}'); location = '/admin'`,
    read: "show(sessionStorage.getItem('token'))",
  },
  indexedDB: {
    keep: (token: string) => `${database}
      opening.onsuccess = () =>
        (store('readwrite').put('${token}', 'token').onsuccess = () => (location = '/admin'))`,
    read: `${database}
      opening.onsuccess = () => {
        const reading = store('readonly').get('token')
        reading.onsuccess = () => show(reading.result ?? null)
      }`,
  },
} as const

/** Shows the dashboard to who has a token in this browser; everybody else is sent to the login. */
const shell = (where: keyof typeof scripts): string =>
  page(`<body><script>
  const show = (token) => {
    if (token === null) location.replace('/login')
    else document.body.innerHTML = '<h1 id="dashboard">Dashboard</h1>'
  }
  ${scripts[where].read}
</script>`)

const portOf = (server: Server): number => (server.address() as AddressInfo).port

class Site implements KajabiSite {
  readonly person = {
    email: 'ada@example.test',
    password: 'kjbPassword-0123456789',
    code: '418207',
  }
  keeps: KajabiSite['keeps'] = 'cookie'
  sessionSeconds = 3600
  readonly #server
  readonly #certificate = ownCa(['IP:127.0.0.1', 'DNS:*.kajabi.test', `DNS:${foreignHost}`])
  readonly #sessions = new Set<string>()
  readonly #ever: string[] = []
  readonly #foreign = `foreign-${randomBytes(12).toString('hex')}`

  constructor() {
    const { key, chain } = this.#certificate
    const handle: RequestListener = (request, response) => {
      this.#answer(request, response).catch((error: unknown) =>
        response.writeHead(500).end(String(error)),
      )
    }
    this.#server = createServer({ key: readFileSync(key), cert: readFileSync(chain) }, handle)
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  get port(): number {
    return portOf(this.#server)
  }

  get hostUrl(): string {
    return `https://127.0.0.1:${this.port}`
  }

  get caFile(): string {
    return this.#certificate.ca
  }

  get url(): string {
    return `https://app.kajabi.test:${this.port}`
  }

  get switches(): readonly string[] {
    const { publicKey } = new X509Certificate(readFileSync(this.caFile))
    const key = publicKey.export({ type: 'spki', format: 'der' })
    return [
      '--host-resolver-rules=MAP *.test 127.0.0.1',
      `--ignore-certificate-errors-spki-list=${createHash('sha256').update(key).digest('base64')}`,
    ]
  }

  secrets(): readonly string[] {
    return [...this.#ever, this.#foreign, this.person.password, 'local-storage-canary-0815']
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
    rmSync(this.#certificate.dir, { recursive: true, force: true })
  }

  async #answer(...[request, response]: Parameters<RequestListener>): Promise<void> {
    const { hostname, pathname } = new URL(request.url ?? '/', `https://${request.headers.host}`)
    response.setHeader('content-type', 'text/html')
    if (hostname === foreignHost) {
      response
        .setHeader('set-cookie', `sso=${this.#foreign}; Secure; SameSite=None; Max-Age=3600`)
        .end(page('<h1>Another site</h1>'))
    } else if (hostname.startsWith('a') && hostname !== 'app.kajabi.test') {
      response.end(page("<script>localStorage.setItem('cache', '€'.repeat(5_000_000))</script>"))
    } else if (pathname === '/login') {
      await this.#login(request, response)
    } else if (pathname === '/two-factor') {
      await this.#secondFactor(request, response)
    } else if (pathname === '/moment') {
      response.end(page('<meta http-equiv="refresh" content="0; url=/admin">One moment…'))
    } else if (pathname.startsWith('/admin')) {
      this.#admin([request, response], pathname)
    } else {
      response.writeHead(404).end()
    }
  }

  async #login(...[request, response]: Parameters<RequestListener>): Promise<void> {
    const fields =
      '<input name="email" type="email"><input name="password" type="password">' +
      `<img src="https://${foreignHost}:${this.port}/pixel" alt="">`
    if (request.method !== 'POST') return void response.end(form('/login', fields))
    const given = new URLSearchParams(await text(request))
    const { email, password } = this.person
    if (given.get('email') !== email || given.get('password') !== password)
      return void response.end(form('/login', `<p>Wrong password</p>${fields}`))
    response.writeHead(302, { location: '/two-factor' }).end()
  }

  async #secondFactor(...[request, response]: Parameters<RequestListener>): Promise<void> {
    const field = '<input name="code" autocomplete="one-time-code">'
    if (request.method !== 'POST') return void response.end(form('/two-factor', field))
    const given = new URLSearchParams(await text(request)).get('code')
    if (given !== this.person.code)
      return void response.end(form('/two-factor', `<p>Wrong code</p>${field}`))
    const session = `kjb-${randomBytes(16).toString('hex')}`
    this.#ever.push(session)
    if (this.keeps === 'sessionStorage' || this.keeps === 'indexedDB')
      return void response.end(page(`<script>${scripts[this.keeps].keep(session)}</script>`))
    this.#sessions.add(session)
    response
      .writeHead(302, {
        location: '/moment',
        'set-cookie': `_kjb_session=${session}; Secure; HttpOnly; Path=/; Max-Age=${this.sessionSeconds}`,
      })
      .end()
  }

  #admin([request, response]: Parameters<RequestListener>, pathname: string): void {
    if (this.keeps === 'sessionStorage' || this.keeps === 'indexedDB')
      return void response.end(shell(this.keeps))
    const session = /\b_kjb_session=([^;]+)/.exec(request.headers.cookie ?? '')?.[1] ?? ''
    if (!this.#sessions.has(session)) response.writeHead(302, { location: '/login' }).end()
    else if (pathname === '/admin')
      response.writeHead(302, { location: '/admin/sites/1/dashboard' }).end()
    else if (pathname === '/admin/products') response.end(libraryPage)
    else {
      if (this.keeps === 'once') this.#sessions.clear()
      response.end(page(`<body>${this.#stored()}<h1 id="dashboard">Dashboard</h1>`))
    }
  }

  #stored(): string {
    const own = "<script>localStorage.setItem('token', 'local-storage-canary-0815')</script>"
    if (this.keeps !== 'huge') return own
    return (
      own +
      cached
        .map((name) => `<iframe src="https://${name}.kajabi.test:${this.port}/"></iframe>`)
        .join('')
    )
  }
}

export async function kajabiSite(): Promise<KajabiSite> {
  const site = new Site()
  await site.listen()
  return site
}
