/** Why a host cannot be reached: from what the probes observed to one diagnosis. A pure function. */
import type { ErrorClass } from '#shared/errors'
import { count, span } from '#shared/format'
import {
  rungNames,
  type DiagnosisId,
  type IdentityChange,
  type Rung,
  type RungName,
} from '#shared/host-connection'
import { rungOf } from '#shared/state/diagnosis'
import type { Machine, TailnetReading } from '../tailnet/reading.ts'

export type CertificateFault = 'wrong_name' | 'expired' | 'not_yet' | 'untrusted'

export interface Observations {
  /** An interface of this laptop is up, loopback and Tailscale aside; true for a host on this machine. */
  readonly laptopOnline: boolean
  /** null: the host is not in a tailnet. */
  readonly tailnet: TailnetReading | null
  /** The machine of the tailnet that the address means. */
  readonly machine: Machine | null
  readonly change: IdentityChange | null
  /** null from here on: not tried. */
  readonly name: { readonly address: string } | { readonly code: string } | null
  readonly port: 'open' | 'refused' | 'silent' | null
  /** Whether the machine answers Tailscale itself. */
  readonly ping: 'pong' | 'silent' | null
  /** `none`: the address is plain http. `closed`: the other side closed the handshake. */
  readonly certificate: 'valid' | 'none' | 'closed' | CertificateFault | null
  /** What stands behind the port. `gateway`: a proxy with nothing behind it. */
  readonly answer: 'hostd' | 'host_refused' | 'gateway' | 'other' | 'silent' | null
  /** How the request for the status ended; null: it was answered. */
  readonly problem: ErrorClass | null
  /** Clock of the host minus that of this laptop, milliseconds. */
  readonly skewMs: number | null
  readonly latencyMs: number | null
}

/** What was found; `observed` says it in one sentence. */
export interface Finding {
  readonly id: DiagnosisId
  readonly observed: string
}

/** Clocks that differ by more are a fault, milliseconds. */
export const maxSkewMs = 60_000
/** A relayed path with a longer round trip is slow, milliseconds. */
export const slowRelayMs = 100

/** @returns the first fault on the way; null when there is none */
export function diagnose(seen: Observations): Finding | null {
  for (const judge of judges) {
    const finding = judge(seen)
    if (finding !== null) return finding
  }
  return null
}

type Judge = (seen: Observations) => Finding | null

const found = (id: DiagnosisId, observed: string): Finding => ({ id, observed })

const laptop: Judge = ({ laptopOnline }) =>
  laptopOnline ? null : found('laptop_offline', 'No network interface of this laptop is up.')

const tailscaleFaults = {
  not_installed: found('no_tailscale', 'No Tailscale was found on this laptop.'),
  daemon_down: found('tailscale_silent', 'The service of Tailscale does not run.'),
  no_answer: found('tailscale_silent', 'The service of Tailscale did not answer in time.'),
  // What cannot be read is not called a fault: the way itself says more.
  refused: null,
  unreadable: null,
  needs_approval: found('needs_approval', 'This laptop waits for approval in the tailnet.'),
  stopped: found('tailscale_stopped', 'Tailscale is installed and switched off.'),
  starting: found('tailscale_silent', 'Tailscale is still starting.'),
  logged_out: found('logged_out', 'Tailscale waits for a sign-in.'),
  key_expired: found('laptop_key_expired', 'The node key of this laptop has expired.'),
} as const

/** A host that answers is not called unreachable for what the tailnet says. */
const answered = ({ problem, answer }: Observations): boolean =>
  problem === null && answer === 'hostd'

const tailscale: Judge = (seen) => {
  const { tailnet } = seen
  if (tailnet === null || tailnet.state === 'running' || answered(seen)) return null
  return tailscaleFaults[tailnet.state]
}

const identity: Judge = ({ change }) =>
  change === null
    ? null
    : found(
        'identity_changed',
        change.kind === 'key'
          ? 'The node key under this name is not the one that was pinned.'
          : `The pinned node is called ${change.seen.tls_name} now.`,
      )

const known: Judge = (seen) =>
  seen.tailnet?.state !== 'running' || seen.machine !== null || answered(seen)
    ? null
    : found('not_in_tailnet', 'No machine that this laptop sees in the tailnet has this name.')

const key: Judge = (seen) =>
  seen.machine?.keyExpired === true && seen.port !== 'open'
    ? found('host_key_expired', 'The tailnet lists its node key as expired.')
    : null

const asleep: Judge = ({ machine, port }) =>
  machine !== null && !machine.online && port !== 'open'
    ? found('host_asleep', 'The tailnet lists it as offline.')
    : null

const named: Judge = ({ name }) =>
  name !== null && 'code' in name
    ? found('name_unknown', `Its name has no address on this laptop (${name.code}).`)
    : null

const path: Judge = ({ port, ping, tailnet }) => {
  if (port !== 'silent') return null
  if (tailnet === null) return found('host_asleep', 'Its address does not answer.')
  return ping === 'pong'
    ? found('acl_denies', 'The machine answers Tailscale, and its port stays silent.')
    : found('no_path', 'It is listed as online, and answers nothing.')
}

const listener: Judge = ({ port, tailnet }) => {
  if (port !== 'refused') return null
  return tailnet === null
    ? found('hostd_down', 'Nothing listens at its address.')
    : found('serve_off', 'The machine answers, and nothing listens at this port.')
}

const certificateTexts = {
  expired: 'Its certificate has expired.',
  not_yet: 'Its certificate is not valid yet.',
  untrusted: 'Its certificate is not signed by an authority that this laptop trusts.',
} as const

const certificate: Judge = ({ certificate: seen, skewMs, tailnet }) => {
  if (seen === null || seen === 'valid' || seen === 'none') return null
  if (seen === 'wrong_name')
    return found('wrong_name', 'Its certificate belongs to another name than this address.')
  if (seen === 'closed')
    return tailnet === null
      ? found('certificate', 'It closed the connection before it showed a certificate.')
      : found('serve_off', 'It closed the connection: nothing is published under this name.')
  if (seen !== 'untrusted' && isSkewed(skewMs)) return skew(skewMs)
  return found('certificate', certificateTexts[seen])
}

const isSkewed = (skewMs: number | null): skewMs is number =>
  skewMs !== null && Math.abs(skewMs) > maxSkewMs

const skew = (skewMs: number): Finding =>
  found(
    'clock_skew',
    `The clock of the host is ${span(Math.abs(skewMs))} ${skewMs > 0 ? 'ahead of' : 'behind'} this laptop.`,
  )

const answer: Judge = ({ answer: seen, tailnet }) => {
  if (seen === 'gateway')
    return found('hostd_down', 'The proxy of the host answers, hostd does not.')
  if (seen === 'silent')
    return found('hostd_down', 'The connection is accepted, and no answer comes.')
  if (seen === 'host_refused')
    return found('wrong_name', 'hostd does not answer under the name of this address.')
  if (seen !== 'other') return null
  return tailnet === null
    ? found('refused', 'Something other than hostd answers at this address.')
    : found('serve_off', 'Something other than hostd answers at this address.')
}

const accepted: Judge = ({ problem }) => {
  if (problem === null) return null
  if (problem === 'forbidden')
    return found('wrong_token', 'hostd refused the token of this laptop.')
  if (problem === 'token_not_configured')
    return found('wrong_token', 'hostd has no admin token that it can use.')
  if (problem === 'host_not_enrolled')
    return found('wrong_token', 'This laptop has no admin token for this host.')
  if (problem === 'host_refused')
    return found('wrong_name', 'The address leads to another one, or hostd does not know its name.')
  if (problem === 'hostd_unreachable')
    return found('hostd_down', 'hostd is alive, and does not answer for its status.')
  return found('refused', 'hostd answered with a refusal.')
}

const clocks: Judge = ({ skewMs }) => (isSkewed(skewMs) ? skew(skewMs) : null)

const relay: Judge = ({ machine, latencyMs }) =>
  machine?.path === 'relayed' && latencyMs !== null && latencyMs >= slowRelayMs
    ? found(
        'relay_slow',
        `The way leads through relay ${machine.relay ?? 'of unknown name'}, ${Math.round(latencyMs)} ms.`,
      )
    : null

/** In the order in which each depends on those before it. */
const judges: readonly Judge[] = [
  laptop,
  tailscale,
  identity,
  known,
  key,
  asleep,
  named,
  path,
  listener,
  certificate,
  answer,
  accepted,
  clocks,
  relay,
]

/** The whole way to the host: what passed before the fault, the fault, and what was not tried behind it. */
export function rungsOf(seen: Observations, finding: Finding | null): Rung[] {
  const fault = finding === null ? null : rungOf(finding.id)
  const at = fault === null ? rungNames.length : rungNames.indexOf(fault)
  // What only slows the way down, or comes last, leaves the rest of it standing.
  const warns = finding?.id === 'relay_slow' || (finding?.id === 'clock_skew' && answered(seen))
  return rungNames.map((name, place): Rung => {
    if (place === at) return { name, state: warns ? 'warn' : 'fail', detail: '' }
    if (place > at && !warns) return { name, state: 'not_tried', detail: 'not tried' }
    if (seen.tailnet === null && inTailnet.has(name))
      return { name, state: 'skip', detail: 'not in a tailnet' }
    return { name, state: 'pass', detail: passDetail[name](seen) }
  })
}

const inTailnet: ReadonlySet<RungName> = new Set(['tailscale', 'known', 'key'])

const passDetail: Readonly<Record<RungName, (seen: Observations) => string>> = {
  laptop: () => '',
  tailscale: ({ tailnet }) =>
    tailnet?.state === 'running'
      ? `${tailnet.version}, ${count(tailnet.peers.filter(({ online }) => online).length, 'machine')} online`
      : 'not read',
  known: ({ machine }) => machine?.addresses[0] ?? 'not read',
  key: ({ machine }) => (machine?.keyExpires === null ? 'does not expire' : 'valid'),
  path: ({ machine }) => {
    if (machine?.path === 'relayed') return `relayed, ${machine.relay ?? ''}`
    return machine?.path ?? ''
  },
  name: ({ certificate: seen }) => (seen === 'none' ? 'plain http' : 'valid'),
  hostd: ({ latencyMs }) => (latencyMs === null ? '' : `${Math.round(latencyMs)} ms`),
  clocks: ({ skewMs }) =>
    skewMs === null ? '' : `within ${span(Math.max(1000, Math.abs(skewMs)))}`,
}
