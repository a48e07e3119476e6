/** The connection to the enrolled host: reads its status for as long as HQ runs, and keeps the last one. */
import { setTimeout as delay } from 'node:timers/promises'
import type { HostConnection } from '#shared/bridge'
import { Problem, toProblem } from '#shared/errors'
import type { HostdClient } from '#shared/hostd-client/client'
import { hostOrigin } from '../base/host-address.ts'
import { hostTokenKey, type Keystore } from '../settings/keystore.ts'
import type { SettingsStore } from '../settings/settings.ts'
import { hostClient, type HostTarget } from './client.ts'
import { readStatusCache, writeStatusCache, type KnownStatus } from './status-cache.ts'

export interface ConnectionOptions {
  readonly home: string
  readonly settings: SettingsStore
  readonly keystore: Keystore
  /** Reports what no reply can carry. */
  readonly log: (text: string) => void
  /** After each answer of the host. */
  readonly onStatus: (known: KnownStatus) => void
}

type View = HostConnection

export interface Connection {
  view(): View
  known(): KnownStatus | null
  /** The enrolled host. @throws {Problem} `host_not_enrolled` when none is enrolled or its token is not set */
  readonly target: () => Promise<HostTarget>
  /** The client of the enrolled host, whichever that is at the time of a request. */
  readonly client: HostdClient
  /** Reads the status now instead of at the next turn. Resolves when the answer is in. */
  refresh(): Promise<void>
  close(): Promise<void>
}

/** Milliseconds between two readings: while something runs, while nothing does. */
const busyMs = 1000
const calmMs = 3000
/** First and longest pause while the host is unreachable, milliseconds. */
const firstRetryMs = 1000
const longestRetryMs = 30_000
/** The copy on disk is at most this old while the host answers, milliseconds. */
const cacheEveryMs = 10_000
const statusMs = 5000

const notEnrolled: View = {
  name: null,
  url: null,
  state: 'not_enrolled',
  detail: 'No host is enrolled.',
  latency_ms: null,
  as_of: null,
}

export const connectHost = (options: ConnectionOptions): Connection => new HostPoller(options)

/** Reads the status again and again, with growing and jittered pauses while the host is unreachable. */
class HostPoller implements Connection {
  readonly client: HostdClient
  readonly #options: ConnectionOptions
  readonly #stop = new AbortController()
  #wake = new AbortController()
  /** Fires when another host is enrolled: an answer of the former one is no longer wanted. */
  #former = new AbortController()
  #enrolled: { name: string; origin: string } | null = null
  #view: View = notEnrolled
  #known: KnownStatus | null = null
  #savedAt = 0
  #failures = 0
  #reading: Promise<void> | null = null
  readonly #loop: Promise<void>

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.client = hostClient(this.target)
    this.#loop = this.#readUntilStopped()
  }

  view(): View {
    return this.#view
  }

  known(): KnownStatus | null {
    return this.#known
  }

  readonly target = async (): Promise<HostTarget> => {
    this.#adoptSettings()
    const enrolled = this.#enrolled
    if (!enrolled)
      throw new Problem('host_not_enrolled', 'No host is enrolled, so no request was sent.')
    const token = await this.#options.keystore.get(hostTokenKey(enrolled.origin))
    if (token === null)
      throw new Problem(
        'host_not_enrolled',
        `The admin token of ${enrolled.name} is not set, so no request was sent to it.`,
      )
    return { ...enrolled, token }
  }

  async refresh(): Promise<void> {
    this.#adoptSettings()
    // An answer that is on its way may be older than what the caller wants to see.
    await this.#reading
    await this.#readOnce()
    this.#wake.abort()
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#loop
    this.#save()
  }

  /** Starts again with the host of the settings, if that is another one now. */
  #adoptSettings(): void {
    const { host } = this.#options.settings.read()
    const origin = host && hostOrigin(host.url)
    const now = host && origin !== null ? { name: host.name, origin } : null
    if (now?.name === this.#enrolled?.name && now?.origin === this.#enrolled?.origin) return
    this.#save()
    this.#former.abort()
    this.#former = new AbortController()
    this.#enrolled = now
    this.#known = now && readStatusCache(this.#options.home, now)
    this.#savedAt = Date.now()
    this.#failures = 0
    this.#view =
      now === null
        ? notEnrolled
        : {
            name: now.name,
            url: now.origin,
            state: 'connecting',
            detail: null,
            latency_ms: null,
            as_of: this.#known?.as_of ?? null,
          }
  }

  #save(): void {
    if (!this.#enrolled || !this.#known) return
    try {
      writeStatusCache(this.#options.home, this.#enrolled, this.#known)
      this.#savedAt = Date.now()
    } catch (error) {
      this.#options.log(
        `The last status of ${this.#enrolled.name} could not be kept: ${String(error)}`,
      )
    }
  }

  #readOnce(): Promise<void> {
    return (this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    }))
  }

  async #read(): Promise<void> {
    let target: HostTarget | null = null
    try {
      target = await this.target()
      const started = performance.now()
      const former = this.#former.signal
      const status = await this.client.status({
        limitMs: statusMs,
        signal: AbortSignal.any([this.#stop.signal, former]),
      })
      if (former.aborted) return
      this.#known = { status, as_of: new Date().toISOString() }
      this.#view = {
        name: target.name,
        url: target.origin,
        state: 'online',
        detail: null,
        latency_ms: Math.round((performance.now() - started) * 10) / 10,
        as_of: this.#known.as_of,
      }
      this.#failures = 0
      if (Date.now() - this.#savedAt >= cacheEveryMs) this.#save()
      this.#options.onStatus(this.#known)
    } catch (error) {
      this.#failed(toProblem(error), target !== null)
    }
  }

  #failed({ errorClass, message, cause, stack }: Problem, enrolled: boolean): void {
    if (this.#stop.signal.aborted || errorClass === 'cancelled') return
    if (errorClass === 'internal_error') {
      const trace = cause instanceof Error ? cause.stack : stack
      this.#options.log(`Reading the status of the host failed: ${trace ?? message}`)
    }
    if (this.#failures === 0) this.#save()
    this.#failures += 1
    const reached = errorClass === 'hostd_unreachable' ? 'offline' : 'refused'
    this.#view = {
      ...this.#view,
      state: enrolled ? reached : 'not_enrolled',
      detail: message,
      latency_ms: null,
      as_of: this.#known?.as_of ?? null,
    }
  }

  #pauseMs(): number {
    if (this.#failures === 0)
      return this.#known && this.#known.status.active_runs.length > 0 ? busyMs : calmMs
    const full = Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(this.#failures - 1, 10))
    return full / 2 + (Math.random() * full) / 2
  }

  async #readUntilStopped(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await this.#readOnce()
      this.#wake = new AbortController()
      await delay(this.#pauseMs(), undefined, {
        ref: false,
        signal: AbortSignal.any([this.#stop.signal, this.#wake.signal]),
      }).catch(() => undefined) // aborted: refreshed or closed, which the loop checks
    }
  }
}
