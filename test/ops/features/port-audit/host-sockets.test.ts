import { describe, expect, it } from 'vitest'
import {
  containerOf,
  socketExposures,
  type OwnedSocket,
} from '#ops/features/port-audit/host-sockets'

const id = 'ab'.repeat(32)
const socket = (
  protocol: 'tcp' | 'udp',
  address: string,
  port: number,
  owner?: Partial<OwnedSocket['owners'][number]>,
): OwnedSocket => ({
  protocol,
  address,
  port,
  pids: owner ? [77] : [],
  owners: owner
    ? [{ pid: 77, name: 'app', program: '/usr/bin/app', container: null, ...owner }]
    : [],
})
const judge = (sockets: OwnedSocket[], options: Parameters<typeof socketExposures>[1] = {}) =>
  socketExposures(sockets, { isSystem: (program) => program.startsWith('/usr/'), ...options }).map(
    ({ detail }) => detail,
  )

describe('sockets of a host', () => {
  it('that anybody could reach are named with their owner', () => {
    expect(
      judge(
        [
          socket('tcp', '0.0.0.0', 8080, { name: 'node' }),
          socket('tcp', '::', 8081, {}),
          socket('udp', '0.0.0.0', 5000, {}),
          socket('tcp', '10.9.8.7', 22, { name: 'sshd' }),
          socket('tcp', 'fe80::1', 9, {}),
          socket('udp', '0.0.0.0', 51820),
          socket('tcp', '0.0.0.0', 9000, { container: id }),
        ],
        { nameOf: () => 'shop-web-1' },
      ),
    ).toEqual([
      'process 77 (node) listens on tcp 0.0.0.0:8080',
      'process 77 (app) listens on tcp [::]:8081',
      'process 77 (app) listens on udp 0.0.0.0:5000',
      'process 77 (sshd) listens on tcp 10.9.8.7:22',
      'process 77 (app) listens on tcp [fe80::1]:9',
      'the kernel, or a process that cannot be seen listens on udp 0.0.0.0:51820',
      'process 77 (app) in container shop-web-1 listens on tcp 0.0.0.0:9000',
    ])
  })

  it('on loopback and the tailnet are no exposure', () => {
    expect(
      judge(
        [
          '127.0.0.1',
          '127.0.0.53',
          '::1',
          '::ffff:127.0.0.1',
          '100.64.0.2',
          'fd7a:115c:a1e0::7',
        ].map((address) => socket('tcp', address, 80, {})),
      ),
    ).toEqual([])
  })

  it('that every host of a tailnet has are expected from those programs only', () => {
    expect(
      judge([
        socket('udp', '0.0.0.0', 41641, { name: 'tailscaled', program: '/usr/sbin/tailscaled' }),
        socket('udp', '0.0.0.0', 68, { program: '/usr/lib/systemd/systemd-networkd' }),
        socket('udp', 'fe80::2', 546, { program: '/usr/sbin/dhclient' }),
      ]),
    ).toEqual([])
    expect(
      judge([socket('tcp', '0.0.0.0', 41641, { program: '/usr/sbin/tailscaled' })]),
    ).toHaveLength(1)
    expect(
      judge([socket('udp', '0.0.0.0', 41641, { program: '/home/me/tailscaled' })]),
    ).toHaveLength(1)
    expect(
      judge([socket('udp', '0.0.0.0', 41641, { program: '/usr/sbin/tailscaled', container: id })]),
    ).toHaveLength(1)
    expect(judge([socket('udp', '0.0.0.0', 68, { program: '/usr/bin/app' })])).toHaveLength(1)
    expect(judge([socket('udp', '0.0.0.0', 5353, { program: '/usr/sbin/dhclient' })])).toHaveLength(
      1,
    )
  })

  it("of Docker's proxy are judged as what Docker publishes, and only those", () => {
    const proxy = socket('tcp', '0.0.0.0', 8080, { name: 'docker-proxy' })
    expect(judge([proxy], { published: new Set(['tcp 8080']) })).toEqual([])
    expect(judge([proxy], { published: new Set(['udp 8080']) })).toHaveLength(1)
    expect(
      judge([socket('tcp', '0.0.0.0', 8080, { name: 'node' })], {
        published: new Set(['tcp 8080']),
      }),
    ).toHaveLength(1)
  })

  it('belong to their container by its control group', () => {
    expect(containerOf(`12:pids:/docker/${id}\n1:name=systemd:/docker/${id}`)).toBe(id)
    expect(containerOf(`0::/system.slice/docker-${id}.scope`)).toBe(id)
    expect(containerOf('0::/system.slice/ssh.service')).toBeNull()
    expect(containerOf(null)).toBeNull()
  })
})
