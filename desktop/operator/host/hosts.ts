/** What the page Hosts shows and does: the enrolled hosts, other machines of the tailnet, and remedies. */
import type { Output } from '#shared/bridge'
import { Problem } from '#shared/errors'
import type { HostSummary } from '#shared/host-connection'
import type { HostView, TailnetMachine } from '#shared/host-procedures'
import { hostOrigin } from '../base/host-address.ts'
import { hostTokenKey, type Keystore } from '../settings/keystore.ts'
import { enrolledHosts, repinHost } from '../settings/hosts.ts'
import type { SettingsStore } from '../settings/settings.ts'
import {
  machineAt,
  hostnameOf,
  type Machine,
  type RunningTailnet,
  type TailnetReading,
} from '../tailnet/reading.ts'
import type { TailnetWatch } from '../tailnet/watch.ts'
import type { Connection } from './connection.ts'
import type { HostPoller } from './poller.ts'
import { probeHost } from './probe.ts'

interface Options {
  readonly settings: SettingsStore
  readonly keystore: Keystore
  readonly connection: Connection
  readonly tailnet: TailnetWatch
}

/** A machine that was asked whether it is a host is not asked again for so long, milliseconds. */
const askedAgainMs = 9000
/** Longest wait for the answer of one machine, milliseconds. */
const askMs = 2000
/** Machines that are asked at the same time. */
const askedAtOnce = 8

interface Asked {
  readonly at: number
  readonly hostd: boolean
  readonly latencyMs: number | null
}

export class Hosts {
  readonly #options: Options
  readonly #asked = new Map<string, Asked>()

  constructor(options: Options) {
    this.#options = options
  }

  /** In short, for the Overview. */
  summaries(): HostSummary[] {
    const selected = this.#options.settings.read().host?.url
    return this.#options.connection.all().map((poller) => {
      const { state, as_of, diagnosis = null } = poller.view()
      const { name, url } = poller.host
      return { name, url, selected: url === selected, state, as_of, diagnosis }
    })
  }

  async list(): Promise<Output<'hosts.list'>> {
    const { connection, settings, tailnet } = this.#options
    const selected = settings.read().host?.url
    const hosts = await Promise.all(
      connection.all().map((poller) => this.#view(poller, poller.host.url === selected)),
    )
    const reading = tailnet.last()
    return { hosts, tailnet: reading && laptopOf(reading) }
  }

  async #view(poller: HostPoller, selected: boolean): Promise<HostView> {
    const { name, url, tls, pin } = poller.host
    const token = await this.#options.keystore.get(hostTokenKey(hostOrigin(url, { tls })))
    return {
      name,
      url,
      selected,
      token_set: token !== null,
      pinned_at: pin?.at ?? null,
      connection: poller.view(),
      status: poller.known()?.status ?? null,
    }
  }

  /** Machines of the tailnet that are no hosts yet, and which of them answer as hostd. */
  async discover(): Promise<Output<'hosts.discover'>> {
    const { reading, at } = await this.#options.tailnet.read(2000)
    const machines = reading.state === 'running' ? await this.#machines(reading) : []
    return { tailnet: laptopOf(reading), machines, read_at: new Date(at).toISOString() }
  }

  async #machines(reading: RunningTailnet): Promise<TailnetMachine[]> {
    const own = enrolledHosts(this.#options.settings.read()).map(
      ({ url }) => machineAt(reading, hostnameOf(url))?.nodeKey,
    )
    const others = reading.peers.filter(({ nodeKey }) => !own.includes(nodeKey))
    const online = others.filter((machine) => machine.online && machine.dnsName !== '')
    for (let at = 0; at < online.length; at += askedAtOnce)
      await Promise.all(online.slice(at, at + askedAtOnce).map((machine) => this.#ask(machine)))
    return others.map((machine) => this.#machine(machine)).toSorted(byUse)
  }

  async #ask({ dnsName, nodeKey }: Machine): Promise<void> {
    const known = this.#asked.get(nodeKey)
    if (known !== undefined && Date.now() - known.at < askedAgainMs) return
    const started = performance.now()
    const { answer } = await probeHost(addressOf(dnsName), AbortSignal.timeout(askMs))
    this.#asked.set(nodeKey, {
      at: Date.now(),
      hostd: answer === 'hostd',
      latencyMs: answer === 'hostd' ? Math.round(performance.now() - started) : null,
    })
  }

  #machine(machine: Machine): TailnetMachine {
    const { dnsName, hostName, nodeKey, online, os, path, lastSeen } = machine
    const asked = online ? this.#asked.get(nodeKey) : undefined
    return {
      name: dnsName === '' ? hostName : (dnsName.split('.')[0] ?? dnsName),
      url: dnsName === '' ? null : addressOf(dnsName),
      os,
      online,
      path,
      last_seen: lastSeen,
      hostd: asked?.hostd ?? null,
      latency_ms: asked?.latencyMs ?? null,
    }
  }

  /**
   * Takes over the node key or name that the operator has compared.
   * @throws {Problem} `not_found`; `invalid_request` when something else answers than what was shown
   */
  async agree(url: string, shown: { node_key: string; tls_name: string }): Promise<void> {
    const { connection, settings, keystore } = this.#options
    const { change } = this.poller(url).view().diagnosis ?? {}
    if (change?.seen.node_key !== shown.node_key || change.seen.tls_name !== shown.tls_name)
      throw new Problem(
        'invalid_request',
        'Something else answers there than what was shown. Nothing was changed; compare again.',
      )
    const pin = { ...shown, at: new Date().toISOString() }
    await repinHost({ store: settings, keystore }, url, { pin, renamed: change.kind === 'name' })
    connection.all()
    await connection.refresh(
      change.kind === 'name' ? (settings.read().host?.url ?? undefined) : url,
    )
  }

  /** @throws {Problem} `not_found` */
  poller(url: string): HostPoller {
    const found = this.#options.connection.all().find((poller) => poller.host.url === url)
    if (found === undefined)
      throw new Problem('not_found', `No host is enrolled at ${url}. Nothing was done.`)
    return found
  }
}

const addressOf = (dnsName: string): string => `https://${dnsName}`

/** Hosts first, then what is online, each by name. */
const byUse = (one: TailnetMachine, other: TailnetMachine): number =>
  Number(other.hostd) - Number(one.hostd) ||
  Number(other.online) - Number(one.online) ||
  one.name.localeCompare(other.name)

function laptopOf(reading: TailnetReading): Output<'hosts.discover'>['tailnet'] {
  if (reading.state !== 'running') return { state: reading.state, version: null, name: null }
  const { version, self } = reading
  return { state: 'running', version, name: self.dnsName === '' ? self.hostName : self.dnsName }
}
