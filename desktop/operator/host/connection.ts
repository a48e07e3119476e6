/** The connections to the enrolled hosts; the selected one is the host of every request. */
import type { EnrolledHost } from '#shared/config'
import { Problem } from '#shared/errors'
import type { HostConnection } from '#shared/host-connection'
import { messageOf } from '#shared/system-error'
import type { HostdClient } from '#shared/hostd-client/client'
import { enrolledHosts, pinHost } from '../settings/hosts.ts'
import type { Keystore } from '../settings/keystore.ts'
import type { SettingsStore } from '../settings/settings.ts'
import type { TailnetWatch } from '../tailnet/watch.ts'
import { hostClient, type HostTarget } from './client.ts'
import { HostPoller } from './poller.ts'
import type { KnownStatus } from './status-cache.ts'

export interface ConnectionOptions {
  readonly home: string
  readonly settings: SettingsStore
  readonly keystore: Keystore
  readonly tailnet: TailnetWatch
  /** Reports what no reply can carry. */
  readonly log: (text: string) => void
  /** After each answer of the selected host. */
  readonly onStatus: (known: KnownStatus, host: HostPoller) => void
}

export interface Connection {
  view(): HostConnection
  known(): KnownStatus | null
  /** The selected host. @throws {Problem} `host_not_enrolled` when none is enrolled or its token is not set; `host_changed` */
  readonly target: () => Promise<HostTarget>
  /** The selected host, for what must go on with the same one. null when none is enrolled. */
  selected(): HostPoller | null
  /**
   * The selected host, when it is the one that the page shows: what was pressed there is meant for that one.
   * @param url null: the page shows none
   * @throws {Problem} `another_host_selected`; `host_not_enrolled` when none is enrolled
   */
  shown(url: string | null): HostPoller
  /** The client of the selected host, whichever that is at the time of a request. */
  readonly client: HostdClient
  /** Fires when the selected host answers again after it was away. */
  cameBack(): AbortSignal
  /** Every enrolled host, the selected one first. */
  all(): readonly HostPoller[]
  /** Reads the status now instead of at the next turn. Resolves when the answer is in. @param url default: the selected host */
  refresh(url?: string): Promise<void>
  close(): Promise<void>
}

const notEnrolled: HostConnection = {
  name: null,
  url: null,
  state: 'not_enrolled',
  detail: 'No host is enrolled, so no request was sent.',
  latency_ms: null,
  as_of: null,
}

const noHost = (): Problem =>
  new Problem('host_not_enrolled', 'No host is enrolled, so no request was sent.')

/** A host whose settings do not change is read again by the time they do, milliseconds. */
const adoptMs = 1000

export const connectHosts = (options: ConnectionOptions): Connection => new HostPollers(options)

class HostPollers implements Connection {
  readonly client: HostdClient
  readonly #options: ConnectionOptions
  readonly #pollers = new Map<string, HostPoller>()
  readonly #closing = new Set<Promise<void>>()
  readonly #timer: NodeJS.Timeout
  #selected: string | null = null
  #closed = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.client = hostClient(this.target)
    this.#adoptQuietly()
    this.#timer = setInterval(() => this.#adoptQuietly(), adoptMs).unref()
  }

  view(): HostConnection {
    return this.#current()?.view() ?? notEnrolled
  }

  selected(): HostPoller | null {
    return this.#current()
  }

  known(): KnownStatus | null {
    return this.#current()?.known() ?? null
  }

  cameBack(): AbortSignal {
    return this.#current()?.cameBack() ?? new AbortController().signal
  }

  all(): readonly HostPoller[] {
    this.#adoptSettings()
    return [...this.#pollers.values()]
  }

  readonly target = async (): Promise<HostTarget> => {
    const current = this.#current()
    if (!current) throw noHost()
    return await current.target()
  }

  shown(url: string | null): HostPoller {
    const current = this.#current()
    if (current === null) throw noHost()
    if (current.host.url === url) return current
    throw new Problem(
      'another_host_selected',
      `${current.host.name} is selected now, and the page showed another host when this was pressed. ` +
        'Nothing was done on either of them.',
    )
  }

  async refresh(url?: string): Promise<void> {
    const current = this.#current()
    await (url === undefined ? current : this.#pollers.get(url))?.refresh()
  }

  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    for (const poller of this.#pollers.values()) this.#end(poller)
    await Promise.all(this.#closing)
  }

  #current(): HostPoller | null {
    this.#adoptSettings()
    return this.#selected === null ? null : (this.#pollers.get(this.#selected) ?? null)
  }

  /** A settings file that cannot be read is said by the next request of the window. */
  #adoptQuietly(): void {
    try {
      this.#adoptSettings()
    } catch (error) {
      this.#options.log(`The hosts of the settings could not be read: ${messageOf(error)}`)
    }
  }

  /** Begins with hosts that are new in the settings and ends those that are gone. */
  #adoptSettings(): void {
    if (this.#closed) return
    const settings = this.#options.settings.read()
    const hosts = enrolledHosts(settings)
    for (const [url, poller] of this.#pollers)
      if (!hosts.some((host) => sameHost(host, poller.host))) {
        this.#pollers.delete(url)
        this.#end(poller)
      }
    for (const host of hosts) {
      const poller = this.#pollers.get(host.url)
      if (poller) poller.change(host)
      else this.#pollers.set(host.url, this.#begin(host))
    }
    this.#selected = settings.host?.url ?? null
  }

  #begin(host: EnrolledHost): HostPoller {
    const { home, keystore, tailnet, log, onStatus, settings } = this.#options
    const isSelected = (): boolean => this.#selected === host.url
    const poller: HostPoller = new HostPoller({
      home,
      keystore,
      tailnet,
      host,
      log,
      isSelected,
      onStatus: (known) => {
        if (isSelected()) onStatus(known, poller)
      },
      onFirst: (pin) => pinHost(settings, host.url, pin),
    })
    return poller
  }

  #end(poller: HostPoller): void {
    const ending: Promise<void> = poller.close().finally(() => this.#closing.delete(ending))
    this.#closing.add(ending)
  }
}

/** The same name at the same address: what is known of one says nothing of the other. */
const sameHost = (one: EnrolledHost, other: EnrolledHost): boolean =>
  one.url === other.url && one.name === other.name
