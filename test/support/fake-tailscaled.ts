import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'

/** A node as `tailscale status --json` of 1.102 prints it. */
export interface FakeNode {
  PublicKey: string
  DNSName: string
  HostName: string
  OS: string
  TailscaleIPs: string[]
  Online: boolean
  Active: boolean
  CurAddr: string
  Relay: string
  Expired: boolean
  KeyExpiry: string | null
  LastSeen: string
}

export const fakeNode = (
  name: string,
  address: string,
  over: Partial<FakeNode> = {},
): FakeNode => ({
  PublicKey: `nodekey:${name}`,
  DNSName: `${name}.tail1.ts.net.`,
  HostName: name,
  OS: 'linux',
  TailscaleIPs: [address],
  Online: true,
  Active: true,
  CurAddr: `${address}:41641`,
  Relay: 'fra',
  Expired: false,
  KeyExpiry: null,
  LastSeen: '0001-01-01T00:00:00Z',
  ...over,
})

/** tailscaled of this machine, as its LocalAPI and its command line show it to this process. */
export interface FakeTailscaled {
  /** `hang`: it takes requests and does not answer. */
  state: 'Running' | 'Stopped' | 'NeedsLogin' | 'NeedsMachineAuth' | 'hang'
  readonly self: FakeNode
  peers: FakeNode[]
  /** Whether `tailscale ping` gets an answer. */
  pong(answers: boolean): void
  remove(): Promise<void>
}

/** Puts it in place of the Tailscale of this machine, until `remove`. */
export async function fakeTailscaled(): Promise<FakeTailscaled> {
  const dir = mkdtempSync(join(tmpdir(), 'fake-tailscaled-'))
  const socket = join(dir, 'tailscaled.sock')
  vi.stubEnv('OPENCLAW_TAILSCALE_SOCKET', socket)
  vi.stubEnv('PATH', `${dir}:/usr/bin:/bin`)
  const server = createServer((_request, response) => {
    if (daemon.state === 'hang') return
    response.end(
      JSON.stringify({
        Version: '1.102.5-t2f1e7',
        BackendState: daemon.state,
        MagicDNSSuffix: 'tail1.ts.net',
        Self: daemon.self,
        Peer: Object.fromEntries(daemon.peers.map((peer) => [peer.PublicKey, peer])),
      }),
    )
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  const daemon: FakeTailscaled = {
    state: 'Running',
    self: fakeNode('laptop', '100.96.14.1'),
    peers: [],
    pong: (answers) =>
      writeFileSync(join(dir, 'tailscale'), `#!/bin/sh\nexit ${answers ? 0 : 1}\n`, {
        mode: 0o755,
      }),
    remove: async () => {
      vi.unstubAllEnvs()
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
      rmSync(dir, { recursive: true })
    },
  }
  daemon.pong(true)
  return daemon
}
