import { z } from 'zod'
import { parseJson } from '#ops/base/files/json-file'
import type { Exposure } from './exposure.ts'

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
  TCP?: Rec<{ TCPForward?: string | undefined }>
  Web?: Rec<{ Handlers?: Rec<Handler> }>
  Services?: Rec<unknown>
  AllowFunnel?: Rec<boolean>
  Foreground?: Rec<ServeConfig>
}

const text = z.string().optional()
const handler = z.looseObject({ Proxy: text, Path: text, Text: text, Redirect: text })
const serveConfig: z.ZodType<ServeConfig> = z.lazy(() =>
  z.looseObject({
    TCP: z.record(z.string(), z.looseObject({ TCPForward: text })).nullish(),
    Web: z
      .record(z.string(), z.looseObject({ Handlers: z.record(z.string(), handler).nullish() }))
      .nullish(),
    Services: z.record(z.string(), z.unknown()).nullish(),
    AllowFunnel: z.record(z.string(), z.boolean()).nullish(),
    Foreground: z.record(z.string(), serveConfig).nullish(),
  }),
)

/** An empty answer or `null` means that nothing is served. @throws {Problem} `internal_error` when it is off */
export const parseServeConfig = (text: string): ServeConfig => {
  const trimmed = text.trim()
  return trimmed === '' || trimmed === 'null'
    ? {}
    : parseJson(trimmed, serveConfig, {
        errorClass: 'internal_error',
        origin: 'tailscale serve status --json',
      })
}

const portOf = (hostPort: string): number => Number(/:(\d+)$/.exec(hostPort)?.[1] ?? hostPort)

/** A proxy to this machine by its name is one to its loopback address; without a scheme it is http. */
function proxyTarget(proxy: string): string {
  const text = /^[a-z+]+:\/\//.test(proxy) ? proxy : `http://${proxy}`
  return text.replace(/\/$/, '').replace(/^http:\/\/localhost(?=:)/i, 'http://127.0.0.1')
}

/**
 * Everything of Tailscale Serve that should not be: Funnel, which is the public internet; sessions that live only as
 * long as a terminal, which the readable status leaves out; anything but the one proxy to hostd.
 * @param targets the only addresses that may be served, on `/`
 */
export function serveExposures(
  config: ServeConfig,
  targets: readonly string[],
  session: string | null = null,
): Exposure[] {
  const found: Exposure[] = []
  const place =
    session === null ? 'tailscale serve' : `tailscale serve, foreground session ${session}`
  const report = (
    what: Pick<Exposure, 'code' | 'subject'>,
    detail: string,
    number: number = Number.NaN,
  ): void => {
    found.push({
      ...what,
      service: 'tailscale',
      detail,
      pointer: place,
      ...(Number.isInteger(number) ? { port: { protocol: 'tcp', number } } : {}),
    })
  }
  for (const [hostPort, on] of Object.entries(config.AllowFunnel ?? {}))
    if (on)
      report(
        { code: 'funnel', subject: hostPort },
        `Funnel opens ${hostPort} to the public internet`,
        portOf(hostPort),
      )
  for (const [port, { TCPForward }] of Object.entries(config.TCP ?? {}))
    if (TCPForward !== undefined && TCPForward !== '')
      report(
        { code: 'serve_target', subject: `tcp ${port}` },
        `port ${port} is forwarded to ${TCPForward}`,
        Number(port),
      )
  for (const [hostPort, { Handlers }] of Object.entries(config.Web ?? {})) {
    for (const [mount, { Proxy, Path, Text, Redirect }] of Object.entries(Handlers ?? {})) {
      const expected =
        mount === '/' &&
        Proxy !== undefined &&
        targets.includes(proxyTarget(Proxy)) &&
        Path === undefined &&
        Text === undefined &&
        Redirect === undefined
      if (!expected)
        report(
          { code: 'serve_target', subject: `${hostPort}${mount}` },
          `${hostPort}${mount} serves ${Proxy ?? Path ?? Redirect ?? 'a text'} to the tailnet, which is not hostd`,
          portOf(hostPort),
        )
    }
  }
  for (const name of Object.keys(config.Services ?? {}))
    report({ code: 'serve_target', subject: name }, `the service ${name} is offered to the tailnet`)
  for (const [id, nested] of Object.entries(config.Foreground ?? {})) {
    const ports = [
      ...Object.keys(nested.Web ?? {}).map(portOf),
      ...Object.keys(nested.TCP ?? {}).map(Number),
    ]
    const served = ports.length === 0 ? 'nothing yet' : `port ${[...new Set(ports)].join(', ')}`
    report(
      { code: 'foreground_serve', subject: id },
      `a foreground session serves ${served} and is in no stored configuration`,
      ports[0],
    )
    found.push(...serveExposures(nested, targets, id))
  }
  return found
}
