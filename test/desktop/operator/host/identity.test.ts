import { expect, it } from 'vitest'
import { enrolledHost } from '#shared/config'
import {
  identityOf,
  refuseChanged,
  requireVerified,
} from '../../../../desktop/operator/host/identity.ts'
import type { Machine, TailnetReading } from '../../../../desktop/operator/tailnet/reading.ts'

const machine = (nodeKey: string, dnsName: string): Machine => ({
  nodeKey,
  dnsName,
  hostName: dnsName.split('.')[0] ?? '',
  addresses: ['100.64.0.2'],
  os: 'linux',
  online: true,
  keyExpires: null,
  keyExpired: false,
  path: 'direct',
  relay: null,
  lastSeen: null,
})

const running = (...peers: Machine[]): TailnetReading => ({
  state: 'running',
  version: '1.102.5',
  self: machine('nodekey:self', 'laptop.tail.example'),
  peers,
  ownService: true,
})

const own = machine('nodekey:aa', 'aiops-1.tail.example')
const host = enrolledHost.parse({ name: 'aiops-1', url: 'https://aiops-1.tail.example' })
const pinned = {
  ...host,
  pin: { node_key: own.nodeKey, tls_name: own.dnsName, at: '2026-11-01T00:00:00.000Z' },
}

/** What stops a request, or null: it is sent, with its token. */
function stops(of: typeof host, reading: TailnetReading | null): string | null {
  try {
    const identity = identityOf(of, reading)
    refuseChanged(of, identity)
    requireVerified(of, identity)
    return null
  } catch (error) {
    return (error as { errorClass: string }).errorClass
  }
}

it.each<[string, TailnetReading | null, string | null]>([
  ['lists the pinned machine', running(own), null],
  [
    'lists another machine under its name',
    running({ ...own, nodeKey: 'nodekey:bb' }),
    'host_changed',
  ],
  [
    'lists it under another name',
    running({ ...own, dnsName: 'moved.tail.example' }),
    'host_changed',
  ],
  ['lists neither its name nor its key', running(), 'hostd_unreachable'],
  ['was not read', null, 'hostd_unreachable'],
  ['did not answer', { state: 'no_answer' }, 'hostd_unreachable'],
  ['cannot be read', { state: 'unreadable' }, 'hostd_unreachable'],
  ['refuses this account', { state: 'refused' }, 'hostd_unreachable'],
  ['is still starting', { state: 'starting' }, 'hostd_unreachable'],
  ['is not on this laptop', { state: 'not_installed' }, null],
  ['is switched off', { state: 'stopped' }, null],
])('sends a token to a pinned host only when Tailscale names it: it %s', (_what, reading, why) => {
  expect(stops(pinned, reading)).toBe(why)
})

it('sends a token to a host without a pin by its certificate, and without TLS only by the tailnet', () => {
  expect(stops(host, { state: 'no_answer' })).toBe(null)
  expect(stops({ ...host, tls: false }, { state: 'no_answer' })).toBe('hostd_unreachable')
  expect(stops({ ...host, tls: false }, running(own))).toBe(null)
})
