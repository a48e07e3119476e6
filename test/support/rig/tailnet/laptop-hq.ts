import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium, type Browser } from 'playwright'
import { z } from 'zod'
import {
  bridgeReply,
  procedures,
  type BridgeReply,
  type Input,
  type Output,
  type ProcedureName,
} from '#shared/bridge'
import type { EnrolledHost } from '#shared/config'
import type { HostView } from '#shared/host-procedures'
import { doesActOnHost, shownHostHeader } from '#shared/shown-host'
import { programArgv } from '#ops/base/process/program'
import { fileKeystore, hostTokenKey } from '../../../../desktop/operator/settings/keystore.ts'
import { browserPath } from '../../browser.ts'
import { until } from '../patience.ts'
import type { LooseNode } from './node.ts'
import type { Tailnet } from './tailnet.ts'

/** HQ of the operator, as `hq serve` on the laptop: it sees the laptop's networks and nothing else. */
export interface LaptopHq {
  /** Its address with the secret, for a browser on the laptop. */
  readonly url: string
  readonly home: string
  /** Folder where it finds the command of Tailscale; of no other program. */
  readonly programs: string
  /** Calls a procedure as the page does. @throws when it is refused */
  call<P extends ProcedureName>(name: P, input: Input<P>): Promise<Output<P>>
  reply(name: ProcedureName, input: unknown): Promise<BridgeReply>
  /** Starts following the log of a run, as its page does. */
  follow(runId: string): FollowedRun
  /** What HQ knows of an enrolled host. */
  host(url: string): Promise<HostView>
  /** Agrees to a host that is another one than before, once HQ asks. */
  agree(url: string): Promise<void>
  /** A browser on the laptop. The caller closes it. */
  browser(): Promise<Browser>
  /** Ends HQ as Ctrl-C does. */
  stop(): Promise<void>
}

export interface FollowedRun {
  /** Messages so far, each a list of events, in the order in which they came. */
  events(): unknown[]
  /** Has HQ ended it? */
  ended(): boolean
}

const ready = z.looseObject({
  url: z.string(),
  origin: z.string(),
  secret: z.string(),
  pid: z.number(),
})
/** Of `hq serve`: it is in every request to the bridge. */
const secretHeader = 'x-openclaw-hq-secret'

type LaptopOf = Pick<Tailnet, 'laptop' | 'control' | 'programs' | 'dnsName'>
/** Address at which the laptop has the host enrolled. */
export const hostUrl = ({ dnsName }: Pick<Tailnet, 'dnsName'>): string => `http://${dnsName}`
const homeOf = ({ place }: LooseNode): string => join(place.dir, 'hq-home')

/**
 * Starts it in a home of its own.
 * @param settings content of its settings.json
 */
async function startLaptopHq(
  { laptop, control, programs: built }: LaptopOf,
  settings: { readonly host: EnrolledHost },
): Promise<LaptopHq> {
  const { place } = laptop
  const home = homeOf(laptop)
  mkdirSync(home, { recursive: true, mode: 0o700 })
  writeFileSync(join(home, 'settings.json'), JSON.stringify(settings), { mode: 0o600 })
  const programs = join(place.dir, 'programs')
  mkdirSync(programs, { recursive: true })
  symlinkSync(join(built, 'tailscale'), join(programs, 'tailscale'))
  const serve = programArgv('serve', ['--port', '0', '--json'])
  const variables = [
    `OPENCLAW_HQ_HOME=${home}`,
    `OPENCLAW_HQ_INSTALL=${process.cwd()}`,
    `NODE_EXTRA_CA_CERTS=${control.authority.ca}`,
    `PATH=${programs}:${process.env['PATH'] ?? '/usr/bin:/bin'}`,
  ]
  const child = place.start(['env', ...variables, ...serve], 'hq-serve')
  const said = (): string => readFileSync(join(place.dir, 'hq-serve.log'), 'utf8')
  const { url, origin, secret } = await until('HQ on the laptop', () => {
    if (child.exitCode !== null) throw new Error(`HQ on the laptop ended: ${said().slice(-3000)}`)
    const line = said()
      .split('\n')
      .find((each) => each.startsWith('{"ready"'))
    return line === undefined ? null : ready.parse(JSON.parse(line))
  })
  // The header is read from a file: a list of processes shows arguments.
  const header = join(place.dir, 'hq-secret-header')
  writeFileSync(header, `${secretHeader}: ${secret}\n`, { mode: 0o600 })
  const asJson = ['-H', `@${header}`, '-H', 'content-type: application/json']
  const curl = (path: string, body: string, ...more: readonly string[]): string[] => {
    const send = ['--data-binary', `@${body}`, `${origin}${path}`]
    return ['curl', '-sS', '-N', '-X', 'POST', ...asJson, ...more, ...send]
  }
  /** What acts on a host carries the one that the page shows. */
  const shown = (name: ProcedureName): string[] =>
    doesActOnHost(name) ? ['-H', `${shownHostHeader}: ${settings.host.url}`] : []
  let follows = 0

  const hq: LaptopHq = {
    url,
    home,
    programs,
    reply: async (name, input) =>
      bridgeReply.parse(
        JSON.parse(
          await place.must(curl(`/bridge/call/${name}`, '-', ...shown(name)), {
            input: JSON.stringify(input),
          }),
        ),
      ),
    call: async (name, input) => {
      const reply = await hq.reply(name, input)
      if (!reply.ok)
        throw new Error(`${name}: ${reply.problem.error_class}: ${reply.problem.message}`)
      return procedures[name].output.parse(reply.value) as never
    },
    follow: (runId) => {
      const log = `follow-${(follows += 1)}`
      const request = join(place.dir, `${log}.json`)
      writeFileSync(request, JSON.stringify({ source: 'host', run_id: runId, after: 0 }))
      const follower = place.start(curl('/bridge/events', request), log)
      const lines = (): string[] => readFileSync(join(place.dir, `${log}.log`), 'utf8').split('\n')
      return {
        events: () =>
          lines()
            .filter((line) => line.startsWith('data: ['))
            .flatMap((line) => JSON.parse(line.slice('data: '.length)) as unknown[]),
        ended: () => follower.exitCode !== null,
      }
    },
    host: async (at) => {
      const { hosts } = await hq.call('hosts.list', {})
      const found = hosts.find((each) => each.url === at)
      if (!found) throw new Error(`HQ on the laptop has no host at ${at}`)
      return found
    },
    agree: async (at) => {
      const change = await until('HQ to ask', async () => {
        return (await hq.host(at)).connection.diagnosis?.change
      })
      await hq.call('hosts.agree', { url: at, ...change.seen })
    },
    browser: async () => {
      const executablePath = join(place.dir, 'browser')
      const program = browserPath() ?? chromium.executablePath()
      const within = place.enter.map((part) => `'${part}'`).join(' ')
      writeFileSync(executablePath, `#!/bin/sh\nexec ${within} '${program}' "$@"\n`, {
        mode: 0o755,
      })
      return await chromium.launch({ executablePath, timeout: 180_000, env: place.env })
    },
    stop: async () => {
      child.kill('SIGTERM')
      await until('HQ on the laptop to end', () => child.exitCode !== null)
    },
  }
  return hq
}

/** Starts HQ on the laptop with the host enrolled, as after *Enrol* in Settings. @param token of the host's admin */
export async function enrolAtLaptop(net: LaptopOf, token: string): Promise<LaptopHq> {
  const url = hostUrl(net)
  await fileKeystore(homeOf(net.laptop)).set(hostTokenKey(url), token)
  return await startLaptopHq(net, { host: { name: 'aiops-1', url, tls: false } })
}
