import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import os, { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readTailnet } from '#ops/platform/tailnet/client'
import { readServe } from '#ops/platform/tailnet/serve'

let dir: string
let daemon: Server | undefined
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tailnet-'))
  vi.stubEnv('OPENCLAW_TAILSCALE_SOCKET', join(dir, 'tailscaled.sock'))
  vi.stubEnv('PATH', dir)
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  daemon?.closeAllConnections()
  await new Promise((resolve) => (daemon ? daemon.close(resolve) : resolve(null)))
  daemon = undefined
  rmSync(dir, { recursive: true })
})

/** A daemon that gives one answer to every request; null never answers. */
async function answering(status: number, body: string | null): Promise<string[]> {
  const requests: string[] = []
  daemon = createServer((request, response) => {
    requests.push(`${request.method} ${request.headers.host} ${request.url}`)
    if (body !== null) response.writeHead(status).end(body)
  })
  await new Promise<void>((resolve) => daemon?.listen(join(dir, 'tailscaled.sock'), resolve))
  return requests
}

describe('Tailscale of this machine', () => {
  it('gives its status', async () => {
    const requests = await answering(200, '{"BackendState":"Running","Self":null,"Peer":null}')
    expect(await readTailnet()).toMatchObject({ kind: 'running', status: { Health: [], Peer: {} } })
    expect(requests).toEqual(['GET local-tailscaled.sock /localapi/v0/status'])
  })

  it.each([
    ['unreadable', 200, '{"Self":{}}'],
    ['unreadable', 200, 'not JSON'],
    ['unreadable', 500, 'its own trouble'],
    ['refused', 403, 'no'],
    ['no_answer', 200, null],
  ])('is %s at an answer %i with %j', async (kind, status, body) => {
    await answering(status, body)
    const found = await readTailnet()
    expect(found).toMatchObject({ kind })
    expect(JSON.stringify(found)).not.toContain('trouble')
  })

  it('is given as long as the caller says', async () => {
    await answering(200, null)
    const silent = { kind: 'no_answer', why: 'Tailscale did not answer within 0.2 seconds.' }
    expect(await readTailnet(undefined, 200)).toEqual(silent)
    expect(await readServe(undefined, 200)).toEqual(silent)
  })

  const single = (address: string, cidr: string): object => ({ address, cidr, internal: false })
  it.each([
    ['not_installed', 'eth0', single('192.0.2.7', '192.0.2.7/24')],
    [
      'not_installed',
      'eth0, of a provider that shares addresses',
      single('100.64.3.2', '100.64.3.2/24'),
    ],
    ['unreadable', 'tailscale0', single('fe80::1', 'fe80::1/64')],
    ['unreadable', 'tun3', single('100.101.1.2', '100.101.1.2/32')],
    ['unreadable', 'tun4', single('fd7a:115c:a1e0::9', 'fd7a:115c:a1e0::9/128')],
  ])('without a socket and a program is %s beside %s', async (kind, name, address) => {
    vi.spyOn(os, 'networkInterfaces').mockReturnValue({
      [name]: [address as os.NetworkInterfaceInfo],
    })
    expect(await readTailnet()).toMatchObject({ kind })
  })
})
