import type { DiagnosisId } from '#shared/host-connection'
import type { Observations } from '../../desktop/operator/host/diagnose.ts'
import type { Machine, TailnetReading } from '../../desktop/operator/tailnet/reading.ts'

const machine: Machine = {
  nodeKey: 'nodekey:a1',
  dnsName: 'aiops-1.tail1.ts.net',
  hostName: 'aiops-1',
  addresses: ['100.96.14.7'],
  os: 'linux',
  online: true,
  keyExpires: null,
  keyExpired: false,
  path: 'direct',
  relay: null,
  lastSeen: null,
}
const running: TailnetReading = {
  state: 'running',
  version: '1.102.5',
  self: { ...machine, nodeKey: 'nodekey:me', dnsName: 'laptop.tail1.ts.net' },
  peers: [machine],
  ownService: true,
}
/** Everything is in order. */
export const fine: Observations = {
  laptopOnline: true,
  tailnet: running,
  machine,
  change: null,
  name: { address: '100.96.14.7' },
  port: 'open',
  ping: null,
  certificate: 'valid',
  answer: 'hostd',
  problem: null,
  skewMs: 0,
  latencyMs: 12,
}
const unreachable = { problem: 'hostd_unreachable', answer: null, certificate: null } as const
const silent = { ...unreachable, port: 'silent' } as const
const state = (name: Exclude<TailnetReading['state'], 'running'>): Partial<Observations> => ({
  ...silent,
  tailnet: { state: name },
  machine: null,
})
const outside = { tailnet: null, machine: null } as const
const change = {
  pinned: { node_key: 'nodekey:old', tls_name: machine.dnsName, at: '2026-11-22T12:00:00.000Z' },
  seen: { node_key: machine.nodeKey, tls_name: machine.dnsName },
  pinned_now: null,
}

/** What differs from the order of things, and what is found. */
export const observed: readonly (readonly [string, Partial<Observations>, DiagnosisId | null])[] = [
  ['nothing', {}, null],
  ['nothing, outside a tailnet', outside, null],
  ['no network', { ...silent, laptopOnline: false, machine: null }, 'laptop_offline'],
  ['no Tailscale', state('not_installed'), 'no_tailscale'],
  ['tailscaled does not run', state('daemon_down'), 'tailscale_silent'],
  ['Tailscale hangs', state('no_answer'), 'tailscale_silent'],
  ['Tailscale starts', state('starting'), 'tailscale_silent'],
  ['Tailscale is off', state('stopped'), 'tailscale_stopped'],
  ['signed out', state('logged_out'), 'logged_out'],
  ['not approved', state('needs_approval'), 'needs_approval'],
  ['the key of the laptop expired', state('key_expired'), 'laptop_key_expired'],
  ['Tailscale may not be asked', { ...state('refused'), port: 'refused' }, 'serve_off'],
  [
    'Tailscale hangs, and the host answers',
    { tailnet: { state: 'no_answer' }, machine: null },
    null,
  ],
  ['the rules hide the host', { ...silent, machine: null }, 'not_in_tailnet'],
  [
    'the host is hidden, so its name has no address',
    { ...silent, port: null, name: { code: 'ENOTFOUND' }, machine: null },
    'not_in_tailnet',
  ],
  ['another node key', { ...silent, change: { kind: 'key', ...change } }, 'identity_changed'],
  ['another name', { change: { kind: 'name', ...change } }, 'identity_changed'],
  [
    'the key of the host expired',
    { ...silent, machine: { ...machine, keyExpired: true, online: false } },
    'host_key_expired',
  ],
  ['the host sleeps', { ...silent, machine: { ...machine, online: false } }, 'host_asleep'],
  ['control is away, and the host answers', { machine: { ...machine, online: false } }, null],
  ['the host is silent, outside a tailnet', { ...silent, ...outside }, 'host_asleep'],
  ['no name', { ...unreachable, port: null, name: { code: 'ENOTFOUND' } }, 'name_unknown'],
  ['the rules close the port', { ...silent, ping: 'pong' }, 'acl_denies'],
  ['online, and no answer at all', { ...silent, ping: 'silent' }, 'no_path'],
  ['Serve is off', { ...unreachable, port: 'refused' }, 'serve_off'],
  ['Serve has another name', { ...unreachable, certificate: 'closed' }, 'serve_off'],
  ['Serve leads elsewhere', { answer: 'other', problem: 'version_mismatch' }, 'serve_off'],
  [
    'nothing listens, outside a tailnet',
    { ...unreachable, ...outside, port: 'refused' },
    'hostd_down',
  ],
  [
    'an expired certificate',
    { certificate: 'expired', problem: 'hostd_unreachable' },
    'certificate',
  ],
  [
    'an unknown authority',
    { certificate: 'untrusted', problem: 'hostd_unreachable' },
    'certificate',
  ],
  ['not valid yet', { certificate: 'not_yet', problem: 'hostd_unreachable' }, 'certificate'],
  [
    'not valid yet, by a clock that is wrong',
    { certificate: 'not_yet', problem: 'hostd_unreachable', skewMs: 3_600_000 },
    'clock_skew',
  ],
  [
    'the certificate of another',
    { certificate: 'wrong_name', problem: 'hostd_unreachable' },
    'wrong_name',
  ],
  [
    'a name that hostd does not know',
    { answer: 'host_refused', problem: 'host_refused' },
    'wrong_name',
  ],
  [
    'Serve without hostd behind it',
    { answer: 'gateway', problem: 'hostd_unreachable' },
    'hostd_down',
  ],
  ['hostd hangs', { answer: 'silent', problem: 'hostd_unreachable' }, 'hostd_down'],
  ['hostd has no time for a status', { problem: 'hostd_unreachable' }, 'hostd_down'],
  ['a wrong token', { problem: 'forbidden' }, 'wrong_token'],
  ['another version', { problem: 'version_mismatch' }, 'refused'],
  ['clocks that differ', { skewMs: -61_000 }, 'clock_skew'],
  ['clocks that differ a little', { skewMs: -59_000 }, null],
  [
    'a slow relay',
    { machine: { ...machine, path: 'relayed', relay: 'fra' }, latencyMs: 148 },
    'relay_slow',
  ],
  ['a quick relay', { machine: { ...machine, path: 'relayed' }, latencyMs: 40 }, null],
]
