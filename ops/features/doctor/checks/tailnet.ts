import { fail, pass, skip, warn, type Finding } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import {
  readTailnet,
  tailscaleInDeployMs,
  tailscaleMs,
  type Tailnet,
} from '#ops/platform/tailnet/client'
import { keyTimeLeft, type TailnetState } from '#shared/tailnet/state'
import { nodeName, type TailnetNode, type TailscaleStatus } from '#shared/tailnet/status'

/** The tailnet is the only way to this host from outside. */
export const tailnet: HostCheck = {
  name: 'tailnet',
  title: 'Tailnet',
  description:
    'The host is online in the tailnet under a name, and its key does not expire within 14 days.',
  remedies: ['join_tailnet', 'renew_tailnet_key', 'enable_magic_dns'],
  // More than Tailscale has for its answer, so that the state is reported and not the limit.
  limitMs: tailscaleMs + 1000,
  run: async ({ deployRunId }, signal) =>
    judgeTailnet(await readTailnet(signal, waitMs(deployRunId)), Date.now()),
}

/** Longest wait for an answer of Tailscale, milliseconds. @param deployRunId null outside a deploy */
export const waitMs = (deployRunId: string | null): number =>
  deployRunId === null ? tailscaleMs : tailscaleInDeployMs

/** A key that expires within this many days is reported: a person must sign in again. */
const warnDays = 14
const dayMs = 86_400_000

const unreachable = 'this host cannot be reached through the tailnet'
const notRunning: Readonly<Record<Exclude<TailnetState, 'running' | 'key_expired'>, string>> = {
  starting: `Tailscale has not connected yet: ${unreachable}.`,
  stopped: `Tailscale is switched off: ${unreachable}.`,
  logged_out: `Tailscale is signed out: ${unreachable}.`,
  needs_approval: `An administrator of the tailnet has not approved this host yet: ${unreachable}.`,
}

/** @param now milliseconds since 1970 */
export function judgeTailnet(found: Tailnet, now: number): Finding {
  if (found.kind === 'not_installed')
    return skip(
      'Tailscale is not installed, so it is not checked whether this host can be reached from afar.',
    )
  if (!('status' in found)) return fail(`${found.why} ${sentence(unreachable)}`, 'join_tailnet')
  const { kind, status } = found
  const also = complaints(status)
  if (kind === 'running') return judgeRunning(status, now)
  if (kind === 'key_expired') {
    const when = status.Self?.KeyExpiry ? ` at ${status.Self.KeyExpiry}` : ''
    return fail(
      `The tailnet key of this host has expired${when}: ${unreachable}.${also}`,
      'renew_tailnet_key',
    )
  }
  return fail(`${notRunning[kind]}${also}`, 'join_tailnet')
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`

const complaints = ({ Health }: TailscaleStatus): string =>
  Health.length > 0 ? ` Tailscale says: ${Health.join(' · ').slice(0, 500)}` : ''

function judgeRunning(status: TailscaleStatus, now: number): Finding {
  const { Self, TailscaleIPs } = status
  const also = complaints(status)
  if (Self === null)
    return fail(`Tailscale runs, but does not name this host.${also}`, 'join_tailnet')
  const dnsName = nodeName(Self)
  const name = `${dnsName} ${TailscaleIPs.join(' ')}`.trim()
  if (!Self.Online)
    return warn(
      `${name} is not connected to the coordination server of the tailnet.${also}`,
      'join_tailnet',
    )
  // Serve answers by name only, and a certificate is for a name.
  if (dnsName === '' || status.CurrentTailnet?.MagicDNSEnabled === false)
    return warn(
      `MagicDNS is off in this tailnet, so ${name} cannot be reached by its name.${also}`,
      'enable_magic_dns',
    )
  return judgeKey(Self, { name, also, now })
}

function judgeKey(
  node: TailnetNode,
  { name, also, now }: { name: string; also: string; now: number },
): Finding {
  const left = keyTimeLeft(node, now)
  const days = left === null ? null : left / dayMs
  if (days !== null && days <= warnDays)
    return warn(
      `The tailnet key of ${name} expires in ${days.toFixed(1)} days, at ${node.KeyExpiry ?? ''}.${also}`,
      'renew_tailnet_key',
    )
  if (also !== '') return warn(`${name} is online.${also}`, 'join_tailnet')
  return pass(
    `${name} is online; its key ${days === null ? 'does not expire' : `expires in ${Math.floor(days)} days`}`,
  )
}
