import { createSocket } from 'node:dgram'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { fromLsof, openSockets } from '#ops/platform/net/sockets'
import { isLoopback } from '#ops/platform/net/addresses'

describe('open sockets', () => {
  it('are seen with their address, port and process, for TCP and UDP', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve)
    })
    const socket = createSocket('udp4')
    await new Promise<void>((resolve) => {
      socket.bind(0, resolve)
    })
    const mine = openSockets().filter(({ pids }) => pids.includes(process.pid))
    const ports = { tcp: (server.address() as AddressInfo).port, udp: socket.address().port }
    server.close()
    socket.close()
    expect(mine).toContainEqual({
      protocol: 'tcp',
      address: '127.0.0.1',
      port: ports.tcp,
      pids: [process.pid],
    })
    expect(mine).toContainEqual({
      protocol: 'udp',
      address: '0.0.0.0',
      port: ports.udp,
      pids: [process.pid],
    })
  })

  it('are read from lsof on other systems', () => {
    const text = [
      'p10',
      'f5',
      'tIPv4',
      'PTCP',
      'n127.0.0.1:80',
      'f6',
      'tIPv6',
      'PTCP',
      'n*:443',
      'p11',
      'f7',
      'tIPv6',
      'PTCP',
      'n*:443',
      'f8',
      'tIPv4',
      'PUDP',
      'n10.0.0.1:5000->10.0.0.2:53',
    ].join('\n')
    expect(fromLsof(text)).toEqual([
      { protocol: 'tcp', address: '127.0.0.1', port: 80, pids: [10] },
      { protocol: 'tcp', address: '::', port: 443, pids: [10, 11] },
    ])
  })

  it.each([
    ['127.0.0.1', true],
    ['127.8.9.10', true],
    ['::1', true],
    ['::ffff:127.0.0.1', true],
    ['0.0.0.0', false],
    ['::', false],
    ['::ffff:0.0.0.0', false],
    ['100.64.0.1', false],
    ['192.168.1.1', false],
  ])('%s on loopback: %s', (address, expected) => {
    expect(isLoopback(address)).toBe(expected)
  })
})
