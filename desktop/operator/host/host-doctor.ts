/** Finds out why a host cannot be reached, within 3 s: gathers the observations and has them judged. */
import { networkInterfaces } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import type { EnrolledHost } from '#shared/config'
import type { ErrorClass } from '#shared/errors'
import type { Diagnosis, DiagnosisId } from '#shared/host-connection'
import { isLoopbackHostname } from '#shared/net/hostnames'
import { runTailscale } from '#ops/platform/tailnet/client'
import { isTailnetName, type TailnetReading } from '../tailnet/reading.ts'
import type { TailnetWatch } from '../tailnet/watch.ts'
import { diagnose, rungsOf, type Observations } from './diagnose.ts'
import { identityOf, mayBeInTailnet, type Identity } from './identity.ts'
import { probeHost } from './probe.ts'

/** Longest time for all steps of the way together, milliseconds. */
const probeMs = 2200
/** A port that has not answered by then is asked after through Tailscale, milliseconds. */
const pingAfterMs = 600
/** A status of the tailnet that is younger counts for a diagnosis; one that takes longer does not; milliseconds. */
const tailnetAgeMs = 300
const tailnetLimitMs = 2000

/** Pages of Tailscale's own service. */
const machinesPage = 'https://login.tailscale.com/admin/machines'
const rulesPage = 'https://login.tailscale.com/admin/acls'
const pages: Partial<Readonly<Record<DiagnosisId, string>>> = {
  needs_approval: machinesPage,
  not_in_tailnet: rulesPage,
  host_key_expired: machinesPage,
  acl_denies: rulesPage,
}

export class HostDoctor {
  readonly #tailnet: TailnetWatch

  constructor(tailnet: TailnetWatch) {
    this.#tailnet = tailnet
  }

  /** What the tailnet last said, for a host that may be in it. */
  reading(host: EnrolledHost): TailnetReading | null {
    return mayBeInTailnet(host) ? this.#tailnet.last() : null
  }

  /**
   * Tries the way to the host.
   * @param problem how the request for its status ended; null: it has no answer yet
   * @returns null when nothing is wrong
   */
  async examine(host: EnrolledHost, problem: ErrorClass | null): Promise<Diagnosis | null> {
    const started = performance.now()
    const [reading, probed] = await Promise.all([this.#read(host), this.#probe(host)])
    const identity = identityOf(host, reading)
    const seen: Observations = {
      ...this.#common(host, identity, reading),
      ...probed,
      problem,
      latencyMs: null,
    }
    return this.#diagnosis(seen, performance.now() - started)
  }

  /** What is wrong although the host answers. */
  ofAnswer(
    host: EnrolledHost,
    { latencyMs, skewMs }: { latencyMs: number; skewMs: number },
  ): Diagnosis | null {
    const reading = this.reading(host)
    const seen: Observations = {
      ...this.#common(host, identityOf(host, reading), reading),
      name: null,
      port: 'open',
      ping: null,
      certificate: new URL(host.url).protocol === 'https:' ? 'valid' : 'none',
      answer: 'hostd',
      problem: null,
      skewMs,
      latencyMs,
    }
    return this.#diagnosis(seen, 0)
  }

  async #read(host: EnrolledHost): Promise<TailnetReading | null> {
    if (!mayBeInTailnet(host)) return null
    const read = this.#tailnet.read(tailnetAgeMs).then(({ reading }) => reading)
    return await Promise.race([
      read,
      delay(tailnetLimitMs, { state: 'no_answer' } as const, { ref: false }),
    ])
  }

  async #probe(
    host: EnrolledHost,
  ): Promise<Omit<Observations, keyof Common | 'problem' | 'latencyMs'>> {
    const probing = probeHost(host.url, AbortSignal.timeout(probeMs))
    const soon = await Promise.race([probing, delay(pingAfterMs, null, { ref: false })])
    const { machine } = identityOf(host, this.reading(host))
    const address = machine?.addresses[0]
    const ping = soon === null && address !== undefined ? await this.#ping(address) : null
    return { ...(await probing), ping }
  }

  /** Whether the machine answers Tailscale itself, over any path. */
  async #ping(address: string): Promise<'pong' | 'silent'> {
    const limitMs = probeMs - pingAfterMs
    const argv = ['ping', '--c=1', `--timeout=${limitMs - 100}ms`, '--until-direct=false', address]
    const result = await runTailscale(argv, undefined, limitMs)
    return result?.exitCode === 0 ? 'pong' : 'silent'
  }

  #common(host: EnrolledHost, identity: Identity, reading: TailnetReading | null): Common {
    const local = isLoopbackHostname(new URL(host.url).hostname)
    return {
      laptopOnline: local || hasNetwork(),
      tailnet: identity.inTailnet ? reading : null,
      machine: identity.machine,
      change: identity.change,
    }
  }

  #diagnosis(seen: Observations, tookMs: number): Diagnosis | null {
    const finding = diagnose(seen)
    if (finding === null) return null
    const own = seen.tailnet?.state === 'running' && seen.tailnet.ownService
    return {
      id: finding.id,
      detail: finding.observed,
      rungs: rungsOf(seen, finding),
      page: own ? (pages[finding.id] ?? null) : null,
      change: finding.id === 'identity_changed' ? seen.change : null,
      at: new Date().toISOString(),
      took_ms: Math.round(tookMs),
    }
  }
}

type Common = Pick<Observations, 'laptopOnline' | 'tailnet' | 'machine' | 'change'>

/** Is an interface up that leads somewhere? Loopback, link-local addresses and Tailscale itself do not count. */
function hasNetwork(): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return addresses.some(
    ({ internal, address }) =>
      !internal && !isTailnetName(address) && !/^(?:fe80:|169\.254\.)/.test(address),
  )
}
