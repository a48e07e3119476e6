import { afterEach, expect, it, vi } from 'vitest'
import { runChecks } from '#ops/core/checks/check'
import { hostPortChecks } from '#ops/features/port-audit/host-audit'
import type { OwnedSocket } from '#ops/features/port-audit/host-sockets'
import { tailnetExposures, tailnetKnowledge } from '#ops/features/port-audit/tailnet-sockets'
import { noExceptions } from '#ops/platform/net/exposure'
import { ordinaryMounts } from '#ops/platform/net/host-mounts'
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

it.each(['100.70.1.2', 'fd7a:115c:a1e0::5'])(
  'without a status judges every address in the ranges of tailnets: %s',
  (address) => {
    const sockets = [socket(address, 22, { name: 'sshd' }), socket('127.0.0.1', 22)]
    for (const unknown of [null, { TailscaleIPs: [], Self: null }])
      expect(
        tailnetExposures(sockets, { status: unknown, served: {}, published: new Set() }),
      ).toMatchObject([{ service: 'sshd' }])
  },
)

const answer = { kind: 'answer', value: served } as const
const silent = { kind: 'no_answer', why: 'Nothing came.' } as const
it.each([
  ['not_installed', true],
  ['daemon_down', true],
  ['no_answer', false],
  ['refused', false],
  ['unreadable', false],
] as const)('without a status %s is closed: %s', (kind, closed) => {
  const found = tailnetKnowledge({ kind, why: 'Nothing came.' }, silent)
  expect('closed' in found).toBe(closed)
})
it.each([
  ['running', answer, true],
  ['running', silent, false],
  ['stopped', answer, true],
  ['logged_out', silent, true],
  ['starting', answer, false],
  ['key_expired', answer, false],
  ['needs_approval', answer, false],
] as const)('%s with %o is closed: %s', (kind, serve, closed) => {
  expect('closed' in tailnetKnowledge({ kind, status }, serve)).toBe(closed)
})

afterEach(() => void vi.unstubAllEnvs())
it('the check fails while Tailscale cannot be asked', async () => {
  vi.stubEnv('OPENCLAW_TAILSCALE_SOCKET', '/proc/version/tailscaled.sock')
  const checks = hostPortChecks({
    docker: { socket: '/proc/version/docker.sock' },
    exceptions: noExceptions,
    mounts: ordinaryMounts,
    hq: { hostdPort: 1, consolePort: 1, tailnetSocket: '', dockerSocket: '', narrowed: false },
  })
  const found = await runChecks(checks.filter(({ name }) => name === 'ports:tailnet'))
  expect(found).toMatchObject([{ status: 'FAIL', remedy: 'join_tailnet' }])
})
