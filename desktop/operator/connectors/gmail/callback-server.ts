import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '#shared/errors'
import { serverLimits } from '#ops/base/http/bounded-server'
import {
  callbackHeaders,
  callbackHtml,
  callbackPages,
  type CallbackPageName,
} from './callback-pages.ts'

/** After its end it still tells a browser that comes late, or loads the page again, what happened; milliseconds. */
const lateMs = 60_000

/**
 * Takes the one answer that the browser brings back (RFC 8252 7.3): on 127.0.0.1 and a free port, GET of the exact
 * path, with the state of this sign-in. Everything else gets a page that says no, and changes nothing.
 */
export class CallbackServer {
  readonly redirectUri: string
  readonly #server: Server
  readonly #state: string
  /** The address that the browser was sent to, with the code or the error. */
  readonly #taken = Promise.withResolvers<URL>()
  /** The browser that brought the answer: it waits for what became of it. */
  #browser: ServerResponse | null = null
  #over: CallbackPageName | null = null

  private constructor(server: Server, state: string) {
    this.#server = server
    this.#state = state
    this.redirectUri = `http://${hostOf(server)}/`
    server.on('request', (request, response) => this.#handle(request, response))
  }

  /** @param state the random text that the answer must repeat */
  static async open(state: string): Promise<CallbackServer> {
    const server = createServer(serverLimits)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new CallbackServer(server, state)
  }

  /**
   * Waits for the answer. The browser that brought it waits for `end`.
   * @throws {Problem} `step_timeout` after `limitMs` milliseconds; the reason of `signal`
   */
  async callback(limitMs: number, signal: AbortSignal): Promise<URL> {
    signal.throwIfAborted()
    const taken = new AbortController()
    const late = async (): Promise<never> => {
      await delay(limitMs, undefined, { signal: AbortSignal.any([signal, taken.signal]) })
      throw new Problem(
        'step_timeout',
        `Access was not allowed within ${limitMs / 60_000} minutes. The secret on the host is unchanged.`,
      )
    }
    try {
      return await Promise.race([this.#taken.promise, late()])
    } finally {
      taken.abort()
    }
  }

  /** Shows the page to the browser that waits. Later ones learn that it is over. Then the port is closed. */
  end(page: CallbackPageName): void {
    if (this.#over !== null) return
    this.#over = this.#browser === null ? 'over' : 'second'
    if (this.#browser !== null) answer(this.#browser, page)
    this.#server.unref()
    setTimeout(() => {
      this.#server.close()
      this.#server.closeAllConnections()
    }, lateMs).unref()
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = urlOf(request, this.redirectUri)
    const refusal = url === null ? 'wrongPath' : this.#refusalOf(request, url)
    if (url === null || refusal !== null) {
      answer(response, refusal ?? 'wrongPath')
      return
    }
    this.#browser = response
    this.#taken.resolve(url)
  }

  /** Why the request is not the answer; null: it is. */
  #refusalOf(request: IncomingMessage, url: URL): CallbackPageName | null {
    const hosts = request.rawHeaders.filter(
      (_, at, all) => at % 2 === 1 && all[at - 1]?.toLowerCase() === 'host',
    )
    if (hosts.length !== 1 || hosts[0] !== hostOf(this.#server)) return 'wrongHost'
    if (request.method !== 'GET') return 'wrongMethod'
    if (url.pathname !== '/') return 'wrongPath'
    if (this.#over !== null) return this.#over
    const { searchParams } = url
    const outcome = [...searchParams.getAll('code'), ...searchParams.getAll('error')]
    const states = searchParams.getAll('state')
    if (states.length !== 1 || states[0] !== this.#state || outcome.length !== 1)
      return 'wrongState'
    return this.#browser === null ? null : 'second'
  }
}

const hostOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`

/** null: the target of the request is not a path. */
function urlOf({ url = '' }: IncomingMessage, base: string): URL | null {
  const target = url.startsWith('/') ? `${base.slice(0, -1)}${url}` : ''
  return URL.canParse(target) ? new URL(target) : null
}

function answer(response: ServerResponse, name: CallbackPageName): void {
  const page = callbackPages[name]
  response.writeHead(page.status, callbackHeaders).end(callbackHtml(page))
}
