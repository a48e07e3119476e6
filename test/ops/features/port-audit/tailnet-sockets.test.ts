import { expect, it } from 'vitest'
import type { OwnedSocket } from '#ops/features/port-audit/host-sockets'
import { tailnetExposures } from '#ops/features/port-audit/tailnet-sockets'
import { tailscaleStatus } from '#shared/tailnet/status'

/** As the real Tailscale of a host reports it. */
const status = tailscaleStatus.parse({
  BackendState: 'Running',
  TailscaleIPs: ['100.64.0.1', 'fd7a:115c:a1e0::1'],
  Self: { PeerAPIURL: ['http://100.64.0.1:58436', 'http://[fd7a:115c:a1e0::1]:59780'] },
})
const served = {
  TCP: { 443: { HTTPS: true } },
  Foreground: { a: { TCP: { 8080: { HTTP: true } } } },
}
const socket = (
  address: string,
  port: number,
  { name = 'tailscaled', program }: { name?: string; program?: string } = {},
): OwnedSocket => ({
  protocol: 'tcp',
  address,
  port,
  pids: [7],
  owners: [{ pid: 7, name, program: program ?? `/usr/sbin/${name}`, container: null }],
})
const found = (each: OwnedSocket): string[] =>
  tailnetExposures([each], {
    status,
    served,
    published: new Set(['tcp 3000']),
    isSystem: (program) => program.startsWith('/usr/'),
  }).map(({ subject }) => subject)

it.each([
  ['Serve', socket('100.64.0.1', 443)],
  ['Serve, IPv6', socket('fd7a:115c:a1e0::1', 443)],
  ['Serve of a session, which another check reports', socket('100.64.0.1', 8080)],
  ['the peer API', socket('100.64.0.1', 58436)],
  ['the peer API, IPv6', socket('fd7a:115c:a1e0:0:0:0:0:1', 59780)],
  ['what Docker publishes', socket('100.64.0.1', 3000, { name: 'docker-proxy' })],
  ['loopback', socket('127.0.0.1', 22, { name: 'sshd' })],
  ['another address', socket('100.64.0.2', 22, { name: 'sshd' })],
])('expects on a tailnet address: %s', (_what, each) => {
  expect(found(each)).toEqual([])
})

it.each([
  ['another program', socket('100.64.0.1', 22, { name: 'sshd' }), 'tcp 100.64.0.1:22'],
  [
    'another program, IPv6',
    socket('fd7a:115c:a1e0::1', 22, { name: 'sshd' }),
    'tcp [fd7a:115c:a1e0::1]:22',
  ],
  ['a port that Serve does not serve', socket('100.64.0.1', 8877), 'tcp 100.64.0.1:8877'],
  [
    'the port of the peer API on the other address',
    socket('fd7a:115c:a1e0::1', 58436),
    'tcp [fd7a:115c:a1e0::1]:58436',
  ],
  [
    'a program that calls itself tailscaled',
    socket('100.64.0.1', 443, { program: '/tmp/tailscaled' }),
    'tcp 100.64.0.1:443',
  ],
  [
    'a program that calls itself docker-proxy',
    socket('100.64.0.1', 3001, { name: 'docker-proxy' }),
    'tcp 100.64.0.1:3001',
  ],
])('reports on a tailnet address: %s', (_what, each, subject) => {
  expect(found(each)).toEqual([subject])
})
