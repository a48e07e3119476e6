// Tailscale Serve of this machine: what it serves, and how one entry is added or removed.
import { Problem } from '#shared/errors'
import { serveDocument, type ServeConfig } from '#ops/platform/net/serve-config'
import { ask, runTailscale, tailscaleMs, type Answer } from './client.ts'

/**
 * What is served now, foreground sessions included.
 * @param waitMs longest wait for the answer, milliseconds
 */
export const readServe = (
  signal?: AbortSignal,
  waitMs: number = tailscaleMs,
): Promise<Answer<ServeConfig>> =>
  ask(
    {
      path: '/localapi/v0/serve-config',
      argv: ['serve', 'status', '--json'],
      schema: serveDocument,
    },
    signal,
    waitMs,
  )

export interface ServeEntry {
  readonly port: number
  readonly scheme: 'https' | 'http'
  readonly target: string
}

/** What stands at a port: nothing, exactly this entry, or what else (for a message). */
export type AtPort =
  | { readonly kind: 'free' }
  | { readonly kind: 'same'; readonly target: string }
  /** A proxy at the root of a web server, which can be replaced. */
  | { readonly kind: 'proxy'; readonly target: string }
  | { readonly kind: 'other'; readonly what: string }

/** @param name full name of this machine in the tailnet */
export function atPort(
  config: ServeConfig,
  name: string,
  { port, scheme, target }: ServeEntry,
): AtPort {
  const session = Object.values(config.Foreground ?? {}).some(
    ({ TCP }) => TCP?.[port] !== undefined,
  )
  if (session) return { kind: 'other', what: 'a foreground session' }
  const tcp = config.TCP?.[port]
  if (tcp === undefined) return { kind: 'free' }
  if (tcp.TCPForward) return { kind: 'other', what: `a forward to ${tcp.TCPForward}` }
  if ((scheme === 'https' ? tcp.HTTPS : tcp.HTTP) !== true)
    return { kind: 'other', what: `something that is not ${scheme}` }
  // Other paths, and the root under an earlier name of this machine, are not in the way.
  const root = config.Web?.[`${name}:${port}`]?.Handlers?.['/']
  if (root === undefined) return { kind: 'free' }
  const { Proxy = '', Path = '', Text = '', Redirect = '' } = root
  if (Proxy === '' || Path + Text + Redirect !== '')
    return { kind: 'other', what: 'something that is not a proxy' }
  return Proxy === target ? { kind: 'same', target } : { kind: 'proxy', target: Proxy }
}

/** Longest time of one change, milliseconds: the first one of a host may wait for its certificate. */
const changeMs = 30_000

/** Serves `target` at the root of a port, in the background. @throws {Problem} `publish_failed` */
export const serve = ({ port, scheme, target }: ServeEntry): Promise<void> =>
  change(['serve', '--bg', '--yes', `--${scheme}=${port}`, target])

/** Removes the root of a port, and leaves other paths of it. @throws {Problem} `publish_failed` */
export const unserve = ({ port, scheme }: ServeEntry): Promise<void> =>
  change(['serve', '--yes', `--${scheme}=${port}`, '--set-path=/', 'off'])

async function change(argv: readonly string[]): Promise<void> {
  const result = await runTailscale(argv, undefined, changeMs)
  if (result?.exitCode === 0) return
  const why = result === null ? 'it is not installed' : result.stderrTail.trim()
  throw new Problem(
    'publish_failed',
    `Tailscale did not take "${argv.join(' ')}": ${why}. What else it serves is unchanged.`,
  )
}
