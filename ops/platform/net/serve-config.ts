import { z } from 'zod'
import { parseJson } from '#ops/base/files/json-file'
import type { Exposure } from './exposure.ts'
import { proxyTarget, tcpTarget, type HqTargets } from './serve-target.ts'

type Rec<T> = Record<string, T> | null | undefined
interface Handler {
  Proxy?: string | undefined
  Path?: string | undefined
  Text?: string | undefined
  Redirect?: string | undefined
}
/**
 * ServeConfig of Tailscale, as `tailscale serve status --json` prints it; a foreground session is a whole one inside.
 */
export interface ServeConfig {
  TCP?: Rec<{
    HTTPS?: boolean | undefined
    HTTP?: boolean | undefined
    TCPForward?: string | undefined
  }>
  Web?: Rec<{ Handlers?: Rec<Handler> }>
  Services?: Rec<unknown>
  AllowFunnel?: Rec<boolean>
  Foreground?: Rec<ServeConfig>
}

const text = z.string().optional()
const handler = z.looseObject({ Proxy: text, Path: text, Text: text, Redirect: text })
const serveConfig: z.ZodType<ServeConfig> = z.lazy(() =>
  z.looseObject({
    TCP: z
      .record(
        z.string(),
        z.looseObject({
          HTTPS: z.boolean().optional(),
          HTTP: z.boolean().optional(),
          TCPForward: text,
        }),
      )
      .nullish(),
    Web: z
      .record(z.string(), z.looseObject({ Handlers: z.record(z.string(), handler).nullish() }))
      .nullish(),
    Services: z.record(z.string(), z.unknown()).nullish(),
    AllowFunnel: z.record(z.string(), z.boolean()).nullish(),
    Foreground: z.record(z.string(), serveConfig).nullish(),
  }),
)

/** The document of the LocalAPI: `null` means that nothing is served. */
export const serveDocument = serveConfig.nullable().transform((value) => value ?? {})

/** An empty answer or `null` means that nothing is served. @throws {Problem} `internal_error` when it is off */
export const parseServeConfig = (text: string): ServeConfig =>
  text.trim() === ''
    ? {}
    : parseJson(text.trim(), serveDocument, {
        errorClass: 'internal_error',
        origin: 'tailscale serve status --json',
      })

const portOf = (hostPort: string): number => Number(/:(\d+)$/.exec(hostPort)?.[1] ?? hostPort)

/** Fields whose meaning HQ knows. Another one could open something that the rest does not show. */
const knownFields = {
  config: ['TCP', 'Web', 'Services', 'AllowFunnel', 'Foreground', 'ETag'],
  tcp: ['HTTPS', 'HTTP', 'TCPForward', 'TerminateTLS', 'ProxyProtocol'],
  handler: ['Proxy', 'Path', 'Text', 'Redirect', 'AcceptAppCaps'],
} as const

const unknownFields = (value: object, kind: keyof typeof knownFields): string[] =>
  Object.entries(value)
    .filter(
      ([name, held]) =>
        !(knownFields[kind] as readonly string[]).includes(name) && !isNothing(held),
    )
    .map(([name]) => name)
const isNothing = (value: unknown): boolean =>
  value === null || value === undefined || value === '' || value === false || value === 0

/**
 * Everything of Tailscale Serve that should not be: Funnel, which is the public internet; sessions that live only as
 * long as a terminal, which the readable status leaves out; anything but hostd and the console, whole and over HTTP.
 * @param place where it is written, for the pointer of a finding
 */
export function serveExposures(
  config: ServeConfig,
  hq: HqTargets,
  place = 'tailscale serve',
): Exposure[] {
  const found = new ServeFindings(hq, place).of(config)
  for (const [id, nested] of Object.entries(config.Foreground ?? {})) {
    const ports = [
      ...Object.keys(nested.Web ?? {}).map(portOf),
      ...Object.keys(nested.TCP ?? {}).map(Number),
    ]
    const served = ports.length === 0 ? 'nothing yet' : `port ${[...new Set(ports)].join(', ')}`
    found.push(
      exposureAt(place, {
        code: 'foreground_serve',
        subject: id,
        detail: `a foreground session serves ${served} and is in no stored configuration`,
        port: ports[0],
      }),
      ...serveExposures(nested, hq, `tailscale serve, foreground session ${id}`),
    )
  }
  return found
}

/** Name and port of everything that Funnel opens, in foreground sessions too. */
export const funnelsOf = (config: ServeConfig): string[] => [
  ...Object.entries(config.AllowFunnel ?? {}).flatMap(([hostPort, on]) => (on ? [hostPort] : [])),
  ...Object.values(config.Foreground ?? {}).flatMap(funnelsOf),
]

/** Ports at which tailscaled listens for Serve, foreground sessions included. */
export const servedPorts = (config: ServeConfig): number[] => [
  ...Object.keys(config.TCP ?? {}).map(Number),
  ...Object.values(config.Foreground ?? {}).flatMap(servedPorts),
]

const exposureAt = (
  pointer: string,
  { port, ...what }: Pick<Exposure, 'code' | 'subject' | 'detail'> & { port?: number | undefined },
): Exposure => ({
  ...what,
  service: 'tailscale',
  pointer,
  ...(port !== undefined && Number.isInteger(port)
    ? { port: { protocol: 'tcp', number: port } }
    : {}),
})

/** What one configuration, stored or of a session, serves that it should not. */
class ServeFindings {
  readonly #found: Exposure[] = []
  readonly #hq: HqTargets
  readonly #place: string

  constructor(hq: HqTargets, place: string) {
    this.#hq = hq
    this.#place = place
  }

  of(config: ServeConfig): Exposure[] {
    for (const [hostPort, on] of Object.entries(config.AllowFunnel ?? {}))
      if (on)
        this.#found.push(
          exposureAt(this.#place, {
            code: 'funnel',
            subject: hostPort,
            detail: `Funnel opens ${hostPort} to the public internet`,
            port: portOf(hostPort),
          }),
        )
    for (const [port, entry] of Object.entries(config.TCP ?? {})) this.#judgeTcp(port, entry)
    for (const [hostPort, { Handlers }] of Object.entries(config.Web ?? {}))
      for (const [mount, each] of Object.entries(Handlers ?? {}))
        this.#judgeHandler(hostPort, mount, each)
    for (const name of Object.keys(config.Services ?? {}))
      this.#report(name, `the service ${name} is offered to the tailnet`)
    for (const field of unknownFields(config, 'config'))
      this.#report(field, `the configuration has the field ${field}, which HQ does not know`)
    return this.#found
  }

  #report(subject: string, detail: string, port?: number): void {
    this.#found.push(exposureAt(this.#place, { code: 'serve_target', subject, detail, port }))
  }

  #judgeTcp(port: string, entry: object & { TCPForward?: string | undefined }): void {
    const { TCPForward = '' } = entry
    if (TCPForward !== '')
      this.#report(
        `tcp ${port}`,
        `port ${port} is forwarded to ${TCPForward}${tcpTarget(TCPForward, this.#hq)}`,
        Number(port),
      )
    for (const field of unknownFields(entry, 'tcp'))
      this.#report(`tcp ${port}`, `port ${port} has the field ${field}, which HQ does not know`)
  }

  #judgeHandler(hostPort: string, mount: string, each: Handler): void {
    const { Proxy = '', Path = '', Text = '', Redirect = '' } = each
    const subject = `${hostPort}${mount}`
    const target = proxyTarget(Proxy, this.#hq)
    const others = [Path, Text, Redirect].filter((value) => value !== '')
    if (!target.isExpected || mount !== '/' || others.length > 0) {
      const served = Proxy || Path || Redirect || 'a text'
      const why = mount !== '/' && target.isExpected ? 'not whole, but below a path' : target.what
      this.#report(subject, `${subject} serves ${served} to the tailnet, ${why}`, portOf(hostPort))
    }
    for (const field of unknownFields(each, 'handler'))
      this.#report(subject, `${subject} has the field ${field}, which HQ does not know`)
  }
}
