import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readTailnet } from '#ops/platform/tailnet/client'

let dir: string
let daemon: Server | undefined
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'tailnet-'))
  vi.stubEnv('OPENCLAW_TAILSCALE_SOCKET', join(dir, 'tailscaled.sock'))
  vi.stubEnv('PATH', dir)
})
afterEach(async () => {
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

  it('is not installed without a socket and a program', async () => {
    expect(await readTailnet()).toMatchObject({ kind: 'not_installed' })
  })
})
