import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { DiagnosisId } from '#shared/host-connection'
import { fakeNode, fakeTailscaled, type FakeTailscaled } from '../../../support/fake-tailscaled.ts'
import { probeHost } from '../../../../desktop/operator/host/probe.ts'
import { hostPeer, json, type HostPeer } from '../../../support/host-peer.ts'
import { operatorBench, until, type OperatorBench } from '../../../support/operator-bench.ts'
import { tlsFront, type TlsFront } from '../../../support/tls-front.ts'

const token = 'canary-token-0816'
/** Longest time from a fault to its name on screen, and from its end to a host that answers, seconds. */
const limit = 5

let peer: HostPeer
let bench: OperatorBench
let front: TlsFront

const connection = async () => (await bench.call('overview.get', {})).connection
const diagnosed = (id: DiagnosisId | null) =>
  until(
    `the diagnosis is ${id ?? 'nothing'}`,
    async () => {
      const now = await connection()
      const found = now.diagnosis?.id ?? null
      return (id === null ? now.state === 'online' && found === null : found === id) && now
    },
    limit,
  )
const answerHealth = (time = () => new Date()): void => {
  peer.answers.set('GET /health', (_request, response) =>
    json(response, 200, {
      ok: true,
      version: '0.1.0',
      uptime_seconds: 1,
      time: time().toISOString(),
    }),
  )
  Object.defineProperty(peer.status.host, 'time', {
    get: () => time().toISOString(),
    enumerable: true,
  })
}

beforeEach(async () => {
  peer = await hostPeer(token)
  answerHealth()
  bench = operatorBench()
})
afterEach(async () => {
  await bench.remove()
  await peer.leave()
})

describe('a host behind TLS', () => {
  beforeAll(async () => {
    front = await tlsFront(() => peer.url)
  })
  afterAll(() => front.close())
  beforeEach(async () => {
    front.show('valid')
  })
  const enrol = async (): Promise<void> => {
    await bench.call('hosts.add', { name: 'aiops-1', url: front.url, token })
    await diagnosed(null)
  }

  it.each(['valid', 'expired', 'not_yet', 'wrong_name'] as const)(
    'has a certificate that the probe calls %s',
    async (shown) => {
      front.show(shown)
      const found = await probeHost(front.url, AbortSignal.timeout(5000))
      expect(found).toMatchObject({ port: 'open', certificate: shown, answer: 'hostd', skewMs: 0 })
    },
  )

  it.each(['unknown_ca', 'self_signed'] as const)(
    'has a certificate of nobody that is trusted: %s',
    async (shown) => {
      front.show(shown)
      const found = await probeHost(front.url, AbortSignal.timeout(5000))
      expect(found).toMatchObject({ certificate: 'untrusted', answer: 'hostd' })
    },
  )

  it('is sent nothing while its certificate is not valid, and is back by itself', async () => {
    await enrol()
    front.show('expired')
    const { state, diagnosis } = await diagnosed('certificate')
    expect(state).toBe('offline')
    expect(diagnosis?.rungs.map((rung) => rung.state).join(' ')).toBe(
      'pass skip skip skip pass fail not_tried not_tried',
    )
    const from = peer.requests.length
    front.show('wrong_name')
    await bench.call('hosts.retry', { url: front.url })
    expect((await connection()).diagnosis?.id).toBe('wrong_name')
    expect(peer.requests.slice(from).filter((request) => request.token !== undefined)).toEqual([])
    front.show('valid')
    await diagnosed(null)
  })

  it('is a matter of the clock when the clocks differ', async () => {
    await enrol()
    answerHealth(() => new Date(Date.now() + 3_600_000))
    front.show('not_yet')
    expect((await diagnosed('clock_skew')).state).toBe('offline')
    front.show('valid')
    const warned = await until('the host answers', async () => {
      const now = await connection()
      return now.state === 'online' && now
    })
    expect(warned.diagnosis).toMatchObject({ id: 'clock_skew' })
    answerHealth()
    await diagnosed(null)
  })

  it('is named by the part that does not work: hostd, or its token', async () => {
    await enrol()
    await peer.leave()
    await diagnosed('hostd_down')
    await peer.comeBack()
    peer.answers.set('GET /api/status', (_request, response) =>
      json(response, 403, {
        ok: false,
        error_class: 'forbidden',
        detail: 'No.',
        next_auto_fix: 'enrol_host',
      }),
    )
    await diagnosed('wrong_token')
    peer.answers.delete('GET /api/status')
    await diagnosed(null)
  })

  it('that hangs is called down within seconds, long before its answer would be given up', async () => {
    await enrol()
    peer.answers.set('GET /api/status', () => undefined)
    peer.answers.set('GET /health', () => undefined)
    await diagnosed('hostd_down')
  })
})

describe('a host in the tailnet', () => {
  let tailscaled: FakeTailscaled
  const enrolWithoutTls = async (url = peer.url): Promise<void> => {
    await bench.call('hosts.add', { name: 'aiops-1', url, token })
    const host = { name: 'aiops-1', url, tls: false }
    writeFileSync(join(bench.home, 'settings.json'), JSON.stringify({ host }))
  }

  beforeEach(async () => {
    tailscaled = await fakeTailscaled()
    tailscaled.peers = [fakeNode('aiops-1', '127.0.0.1')]
  })
  afterEach(() => tailscaled.remove())

  it('is not reached while Tailscale is off or hangs, and is back by itself', async () => {
    await enrolWithoutTls()
    const facts = await until(
      'the tailnet is read',
      async () => (await connection()).tailnet,
      limit,
    )
    expect(facts).toMatchObject({ path: 'direct', address: '127.0.0.1' })
    tailscaled.state = 'Stopped'
    await peer.leave()
    await diagnosed('tailscale_stopped')
    tailscaled.state = 'hang'
    await diagnosed('tailscale_silent')
    tailscaled.state = 'Running'
    await peer.comeBack()
    await diagnosed(null)
  })

  it('is named by what the tailnet says of it', async () => {
    await enrolWithoutTls()
    await diagnosed(null)
    await peer.leave()
    await diagnosed('serve_off')
    const [node] = tailscaled.peers
    if (node === undefined) throw new Error('there is no peer')
    node.Online = false
    await diagnosed('host_asleep')
    node.Expired = true
    const { diagnosis } = await diagnosed('host_key_expired')
    expect(diagnosis?.page).toBe('https://login.tailscale.com/admin/machines')
    tailscaled.peers = []
    await diagnosed('not_in_tailnet')
    tailscaled.peers = [fakeNode('aiops-1', '127.0.0.1', { CurAddr: '' })]
    await peer.comeBack()
    expect((await diagnosed(null)).tailnet).toMatchObject({ path: 'relayed', relay: 'fra' })
    peer.answers.set('GET /api/status', (_request, response) => {
      setTimeout(() => json(response, 200, peer.status), 120)
    })
    expect((await diagnosed('relay_slow')).state).toBe('online')
  })

  it('is sent nothing once another machine answers, until the operator agrees', async () => {
    await enrolWithoutTls()
    await diagnosed(null)
    const pinned = await until('it is pinned', async () => {
      const { hosts } = await bench.call('hosts.list', {})
      return hosts[0]?.pinned_at
    })
    expect(Date.parse(pinned)).toBeLessThanOrEqual(Date.now())
    tailscaled.peers = [fakeNode('aiops-1', '127.0.0.1', { PublicKey: 'nodekey:other' })]
    const { state, diagnosis } = await diagnosed('identity_changed')
    expect(state).toBe('refused')
    expect(diagnosis?.change).toMatchObject({
      kind: 'key',
      pinned: { node_key: 'nodekey:aiops-1' },
      seen: { node_key: 'nodekey:other' },
      pinned_now: null,
    })
    const from = peer.requests.length
    expect((await bench.refused('host.exec', { action: 'doctor' })).error_class).toBe(
      'host_changed',
    )
    await bench.call('hosts.retry', { url: peer.url })
    expect(peer.requests.slice(from).filter((request) => request.token !== undefined)).toEqual([])
    const seen = { url: peer.url, node_key: 'nodekey:other', tls_name: 'aiops-1.tail1.ts.net' }
    const another = await bench.refused('hosts.agree', { ...seen, node_key: 'nodekey:third' })
    expect(another.error_class).toBe('invalid_request')
    await bench.call('hosts.agree', seen)
    await diagnosed(null)
  })
})
