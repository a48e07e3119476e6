// What a target of Tailscale Serve is, however it is spelled.
import { posix } from 'node:path'

/** What of HQ may stand behind Serve, and what may not. */
export interface HqTargets {
  /** Loopback ports. */
  readonly hostdPort: number
  readonly consolePort: number
  /** Socket on which hostd takes identities from tailscaled. */
  readonly tailnetSocket: string
  readonly dockerSocket: string
  /** Whether only some persons may change this host: then hostd's port, which knows no person, may not be served. */
  readonly narrowed: boolean
}

export interface Target {
  readonly isExpected: boolean
  /** Follows "serves … to the tailnet, ". */
  readonly what: string
}

const expected: Target = { isExpected: true, what: 'which is of HQ' }
const refused = (what: string): Target => ({ isExpected: false, what })
const unknown = refused('which is not hostd')

/** Loopback as `URL` writes it. hostd and the console listen on IPv4 alone; `localhost` may be both. */
const ownNames = new Set(['127.0.0.1', 'localhost', 'localhost.', '0.0.0.0', '[::ffff:7f00:1]'])

/** `/var/run` is `/run` on every host with systemd. */
const socketPath = (path: string): string =>
  posix
    .normalize(path)
    .replace(/^\/+/, '/')
    .replace(/^\/var\/run\//, '/run/')

/** Target of a proxy over HTTP: a port, an address, a URL, or a unix socket. */
export function proxyTarget(proxy: string, hq: HqTargets): Target {
  const socket = /^unix:(.*)$/is.exec(proxy)?.[1]
  if (socket !== undefined) return socketTarget(socketPath(socket), hq)
  const text = /^\d+$/.test(proxy) ? `127.0.0.1:${proxy}` : proxy
  const url = /^[a-z][a-z+]*:\/\//i.test(text) ? text : `http://${text}`
  if (proxy === '' || !URL.canParse(url)) return unknown
  const { protocol, hostname, port, pathname, search, hash, username, password } = new URL(url)
  if (!ownNames.has(hostname)) return unknown
  const number = Number(port || '80')
  if (number !== hq.hostdPort && number !== hq.consolePort) return unknown
  const plain =
    protocol === 'http:' && pathname === '/' && search + hash + username + password === ''
  if (!plain) return refused('which is not the whole of it over HTTP')
  return number === hq.hostdPort && hq.narrowed
    ? refused(
        'which is the port of hostd, where nobody is known; this host accepts changes from some persons only',
      )
    : expected
}

function socketTarget(path: string, hq: HqTargets): Target {
  const own = socketPath(hq.tailnetSocket)
  if (path === own) return expected
  if (path === socketPath(hq.dockerSocket))
    return refused('which is Docker: who reaches it has the host')
  return path.startsWith(`${posix.dirname(posix.dirname(own))}/`)
    ? refused('which is a socket of HQ that is meant for this host alone')
    : unknown
}

/** What a raw forward leads to, for the message: it is never expected, because it hides who is calling. */
export function tcpTarget(target: string, hq: HqTargets): string {
  const url = `http://${target}`
  if (!URL.canParse(url)) return ''
  const { hostname, port } = new URL(url)
  if (!ownNames.has(hostname)) return ''
  if (Number(port) === hq.hostdPort) return ', the port of hostd, without saying who calls'
  return Number(port) === hq.consolePort
    ? ', the port of the console, without saying who calls'
    : ''
}
