/** Reads the status of one enrolled host for as long as HQ runs, keeps the last one, and says why there is none. */
import { setTimeout as delay } from 'node:timers/promises'
import type { StatusReply } from '#shared/api'
import type { EnrolledHost, HostPin } from '#shared/config'
import { Problem, toProblem } from '#shared/errors'
import type { Diagnosis, HostConnection, TailnetFacts } from '#shared/host-connection'
import type { HostdClient } from '#shared/hostd-client/client'
import { onlyWarns } from '#shared/state/diagnosis'
import { hostOrigin } from '../base/host-address.ts'
import { hostTokenKey, type Keystore } from '../settings/keystore.ts'
import type { Machine } from '../tailnet/reading.ts'
import type { TailnetWatch } from '../tailnet/watch.ts'
import { hostClient, type HostTarget } from './client.ts'
import { HostDoctor } from './host-doctor.ts'
import { identityOf, mayBeInTailnet, refuseChanged, requireVerified } from './identity.ts'
import { skewOf } from './probe.ts'
import { readStatusCache, writeStatusCache, type KnownStatus } from './status-cache.ts'

export interface PollerOptions {
  readonly home: string
  readonly keystore: Keystore
  readonly tailnet: TailnetWatch
  /** The host as the settings have it now. */
  readonly host: EnrolledHost
  /** Ship and Deploy use it: it is read more often. */
  readonly isSelected: () => boolean
  /** Reports what no reply can carry. */
  readonly log: (text: string) => void
  /** After each answer of the host. */
  readonly onStatus: (known: KnownStatus) => void
  /** Who answered there first, as the tailnet says. */
  readonly onFirst: (pin: HostPin) => void
}

/** Milliseconds between two readings: while something runs, while nothing does, and of a host that is not selected. */
const busyMs = 1000
const calmMs = 1500
const besideMs = 1900
/** Pause while the host is unreachable, milliseconds: it is back on screen within 5 s of its return. */
const retryMs = 1200
/** The copy on disk is at most this old while the host answers, milliseconds. */
const cacheEveryMs = 10_000
/** Longest wait for a status, milliseconds. */
const statusMs = 10_000
/** An answer that takes longer than this is looked into while it is waited for, milliseconds. */
const lateMs = { least: 500, most: 1200 }
/** A status of the tailnet that is younger says who answers, milliseconds. */
const tailnetAgeMs = 3000

interface Answer {
  readonly status: StatusReply
  readonly latencyMs: number
  readonly skewMs: number
}

export class HostPoller {
  readonly client: HostdClient
  #options: PollerOptions
  readonly #stop = new AbortController()
  #wake = new AbortController()
  #view: HostConnection
  #known: KnownStatus | null
  #savedAt = Date.now()
  #failures = 0
  #cameBack = new AbortController()
  /** Round trips of the last answers, milliseconds. */
  #latencies: number[] = []
  #reading: Promise<void> | null = null
  readonly #doctor: HostDoctor
  readonly #loop: Promise<void>

  constructor(options: PollerOptions) {
    this.#options = options
    this.client = hostClient(this.target)
    this.#doctor = new HostDoctor(options.tailnet)
    const { name, url } = options.host
    this.#known = readStatusCache(options.home, this.#cacheKey())
    this.#view = {
      name,
      url,
      state: 'connecting',
      detail: null,
      latency_ms: null,
      as_of: this.#known?.as_of ?? null,
      tailnet: null,
      diagnosis: null,
    }
    this.#loop = this.#readUntilStopped()
  }

  get host(): EnrolledHost {
    return this.#options.host
  }

  /** Takes over a changed name or pin of the same address. */
  change(host: EnrolledHost): void {
    this.#options = { ...this.#options, host }
    this.#view = { ...this.#view, name: host.name }
  }

  view(): HostConnection {
    return this.#view
  }

  known(): KnownStatus | null {
    return this.#known
  }

  /**
   * Where requests go. Called for each one, so that nothing is sent to a machine that took the place of another.
   * @throws {Problem} `host_not_enrolled` without a token; `host_changed`; `setting_invalid`
   */
  readonly target = async (): Promise<HostTarget> => {
    const { host, keystore, tailnet } = this.#options
    const origin = hostOrigin(host.url, { tls: host.tls })
    const token = await keystore.get(hostTokenKey(origin))
    if (token === null)
      throw new Problem(
        'host_not_enrolled',
        `The admin token of ${host.name} is not set, so no request was sent to it.`,
      )
    if (mayBeInTailnet(host)) {
      const identity = identityOf(host, (await tailnet.read(tailnetAgeMs)).reading)
      refuseChanged(host, identity)
      requireVerified(host, identity)
    }
    return { name: host.name, origin, token }
  }

  /** Fires when the host answers again after it was away. */
  cameBack(): AbortSignal {
    return this.#cameBack.signal
  }

  #tellReturn(): void {
    const former = this.#cameBack
    this.#cameBack = new AbortController()
    former.abort()
  }

  /** Reads the status now instead of at the next turn. Resolves when the answer is in. */
  async refresh(): Promise<void> {
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

  #cacheKey(): { name: string; origin: string } {
    const { name, url } = this.#options.host
    return { name, origin: new URL(url).origin }
  }

  #save(): void {
    if (!this.#known) return
    try {
      writeStatusCache(this.#options.home, this.#cacheKey(), this.#known)
      this.#savedAt = Date.now()
    } catch (error) {
      this.#options.log(`The last status of ${this.host.name} could not be kept: ${String(error)}`)
    }
  }

  #readOnce(): Promise<void> {
    return (this.#reading ??= this.#read().finally(() => {
      this.#reading = null
    }))
  }

  async #read(): Promise<void> {
    const request = new AbortController()
    const answer = this.#request(AbortSignal.any([this.#stop.signal, request.signal]))
    try {
      const late = await this.#lookIntoLateness(answer)
      if (late === null) return this.#answered(await answer)
      request.abort()
      await answer.catch(() => undefined) // aborted just now; the diagnosis says why
      this.#failed(
        new Problem(
          'hostd_unreachable',
          `${this.host.name} cannot be reached: it does not answer.`,
        ),
        late,
      )
    } catch (error) {
      const problem = toProblem(error)
      if (this.#stop.signal.aborted) return
      this.#failed(problem, this.#failures > 0 ? (this.#view.diagnosis ?? null) : null)
      if (problem.errorClass === 'host_not_enrolled') return this.#diagnosed(null)
      this.#diagnosed(await this.#doctor.examine(this.host, problem.errorClass))
    }
  }

  async #request(signal: AbortSignal): Promise<Answer> {
    const sent = Date.now()
    const started = performance.now()
    const status = await this.client.status({ limitMs: statusMs, signal })
    const latencyMs = Math.round((performance.now() - started) * 10) / 10
    return { status, latencyMs, skewMs: skewOf(status.host.time, { sent, received: Date.now() }) }
  }

  /**
   * While an answer is late, the way to the host is tried.
   * @returns what stops the answer; null: it is there, or nothing stops it
   */
  async #lookIntoLateness(answer: Promise<Answer>): Promise<Diagnosis | null> {
    const settled = answer.then(
      () => null,
      () => null,
    )
    const slow = (this.#latencies.at(-1) ?? 0) * 3
    const wait = Math.min(lateMs.most, Math.max(lateMs.least, slow))
    const late = await Promise.race([settled, delay(wait, 'late', { ref: false })])
    if (late === null) return null
    const found = await Promise.race([settled, this.#doctor.examine(this.host, null)])
    return found === null || onlyWarns(found.id) ? null : found
  }

  #answered({ status, latencyMs, skewMs }: Answer): void {
    const { host, onStatus, onFirst } = this.#options
    this.#known = { status, as_of: new Date().toISOString() }
    this.#latencies = [...this.#latencies, latencyMs].slice(-3)
    const { machine } = identityOf(host, this.#doctor.reading(host))
    this.#view = {
      name: host.name,
      url: host.url,
      state: 'online',
      detail: null,
      latency_ms: latencyMs,
      as_of: this.#known.as_of,
      tailnet: machine && tailnetFacts(machine),
      diagnosis: this.#doctor.ofAnswer(host, { latencyMs: Math.min(...this.#latencies), skewMs }),
    }
    if (this.#failures > 0) this.#tellReturn()
    this.#failures = 0
    if (machine !== null && machine.dnsName !== '' && host.pin === undefined)
      onFirst({ node_key: machine.nodeKey, tls_name: machine.dnsName, at: this.#known.as_of })
    if (Date.now() - this.#savedAt >= cacheEveryMs) this.#save()
    onStatus(this.#known)
  }

  #failed({ errorClass, message, cause, stack }: Problem, diagnosis: Diagnosis | null): void {
    if (this.#stop.signal.aborted || errorClass === 'cancelled') return
    if (errorClass === 'internal_error') {
      const trace = cause instanceof Error ? cause.stack : stack
      this.#options.log(`Reading the status of the host failed: ${trace ?? message}`)
    }
    if (this.#failures === 0) this.#save()
    this.#failures += 1
    this.#latencies = []
    this.#view = {
      ...this.#view,
      state: failedState[errorClass] ?? 'refused',
      detail: message,
      latency_ms: null,
      as_of: this.#known?.as_of ?? null,
    }
    this.#diagnosed(diagnosis)
  }

  #diagnosed(diagnosis: Diagnosis | null): void {
    const { host } = this.#options
    const { machine } = identityOf(host, this.#doctor.reading(host))
    this.#view = { ...this.#view, tailnet: machine && tailnetFacts(machine), diagnosis }
  }

  #pauseMs(): number {
    const jitter = Math.random() * 300
    if (this.#failures > 0) return retryMs + jitter
    if (!this.#options.isSelected()) return besideMs + jitter
    return this.#known && this.#known.status.active_runs.length > 0 ? busyMs : calmMs
  }

  async #readUntilStopped(): Promise<void> {
    await delay(0) // the constructor has returned by then, so its caller knows this poller
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

const failedState: Readonly<Record<string, HostConnection['state']>> = {
  hostd_unreachable: 'offline',
  host_not_enrolled: 'not_enrolled',
}

export const tailnetFacts = (machine: Machine): TailnetFacts => ({
  address: machine.addresses[0] ?? null,
  online: machine.online,
  path: machine.path,
  relay: machine.relay,
  key_expires: machine.keyExpires,
  key_expired: machine.keyExpired,
  os: machine.os,
  last_seen: machine.lastSeen,
})
