import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { adminTokenHeader } from '#shared/api'
import type { ConnectFlow } from '#shared/connect-flow'
import { connectors } from '#shared/connectors/list'
import type { Fetch } from '#shared/hostd-client/address'
import { HostdClient } from '#shared/hostd-client/client'
import { isEnded } from '#shared/run'
import { Attempt } from '../../../../desktop/operator/connectors/common/attempt.ts'
import { deliver } from '../../../../desktop/operator/connectors/deliver.ts'
import { startProof } from '../../../../desktop/operator/connectors/start-proof.ts'
import { connectorHost, login, type ConnectorHost } from '../../../support/connector-host.ts'
import { kajabi } from '../../../support/connector-peers.ts'
import { startHostd, until, type TestHostd } from '../../../support/hostd.ts'

let at: ConnectorHost
let hostd: TestHostd
beforeAll(async () => {
  at = await connectorHost()
  hostd = await startHostd(at.host)
})
beforeEach(async () => {
  await at.reset()
  at.kajabi.answer = kajabi(fresh)
})
afterAll(async () => {
  await hostd.stop()
  await at.remove()
})

const live = 'kajabi_storage_state.json'
const fresh = 'kjbSessionRenewed0123456789abcdef'
const renewed = JSON.stringify(login()).replaceAll(/kjbSession\w+/g, fresh)
const text = (): string => readFileSync(join(at.folder, live), 'utf8')
const waiting = (): string[] => readdirSync(at.folder).filter((name) => /candidate|tmp/.test(name))
const comeBack = async (): Promise<void> => {
  hostd = await startHostd(at.host, { port: hostd.port })
}

/** The laptop's client of the host. @param around takes each request, and sends it with the second parameter */
const clientWith = (around: (method: string, path: string, send: Fetch) => Fetch): HostdClient =>
  new HostdClient(() => ({
    base: hostd.url,
    token: at.host.token,
    caller: {
      host: 'The host',
      sides: 'HQ and the host',
      unreachable: (reason) => `The host cannot be reached: ${reason}.`,
      redirectAdvice: '',
      behindProxy: false,
    },
    fetch: (url, init) =>
      around(init.method ?? 'GET', new URL(url).pathname, (...given) => fetch(...given))(url, init),
  }))
const isFinalize = (path: string): boolean => path.endsWith('/finalize')
const plain = clientWith((_method, _path, send) => send)
const lost = (): never => {
  throw new TypeError('fetch failed')
}

const newAttempt = (): Attempt => {
  const way = connectors.kajabi.ways.storage_state
  return new Attempt({ connector: 'kajabi', mode: 'storage_state', way })
}
/** Sends the new login and has it proved, as HQ does once it was captured. */
async function bring(client: HostdClient, attempt = newAttempt()): Promise<ConnectFlow> {
  const bytes = new TextEncoder().encode(renewed)
  const secrets = [{ kind: 'storage_state', bytes }]
  try {
    await deliver(attempt, { client, mode: 'storage_state', secrets })
    attempt.succeed('The host proved that the service accepts it.')
  } catch (error) {
    attempt.fail(error)
  }
  return attempt.view()
}
/** Waits for the end of the proof that was requested last. */
const proofEnded = () =>
  until('the end of the proof', async () => {
    const [newest] = (await hostd.client.runs({ action: 'connector_finalize', limit: 1 })).runs
    return newest !== undefined && isEnded(newest.status)
  })

describe('a proof that was requested, and whose answer did not arrive', () => {
  it('ends as the host says, also when it was cancelled in that instant', async () => {
    const attempt = newAttempt()
    const client = clientWith((_method, path, send) => async (url, init) => {
      const answer = await send(url, init)
      if (!isFinalize(path)) return answer
      await proofEnded()
      attempt.cancel()
      init.signal?.throwIfAborted()
      return answer
    })
    expect(await bring(client, attempt)).toMatchObject({ end: { state: 'ready' } })
    expect(text()).toBe(renewed)
  })

  it('is found on the host when the connection was lost', async () => {
    const client = clientWith((_method, path, send) => async (url, init) => {
      const answer = await send(url, init)
      return isFinalize(path) ? lost() : answer
    })
    expect(await bring(client)).toMatchObject({
      end: { state: 'ready' },
      run_id: expect.any(String),
    })
  })

  it('was not started when the host knows none: the secret in use is unchanged', async () => {
    const before = text()
    const attempt = newAttempt()
    const client = clientWith((_method, path, send) => (url, init) => {
      if (!isFinalize(path)) return send(url, init)
      attempt.cancel()
      return lost()
    })
    expect(await bring(client, attempt)).toMatchObject({ end: { state: 'cancelled' } })
    expect(text()).toBe(before)
  })

  it('is not known while the host does not answer, and so it is said', async () => {
    const attempt = newAttempt()
    const client = clientWith((_method, path, send) => async (url, init) => {
      if (!isFinalize(path)) return await send(url, init)
      await hostd.kill()
      attempt.cancel()
      return lost()
    })
    const started = startProof(attempt, { client, mode: 'storage_state', patienceMs: 0 })
    attempt.fail(await started.catch((error: unknown) => error))
    expect(attempt.view().end).toMatchObject({
      state: 'failed',
      error_class: 'hostd_unreachable',
      message: expect.stringContaining('It is not known whether the new secret is in use.'),
    })
    await comeBack()
  })
})

describe('hostd killed and started again', () => {
  it('in the middle of a secret: nothing of it is stored, and it can be sent again', async () => {
    const before = text()
    const client = clientWith((method, path, send) => async (url, init) => {
      if (method !== 'PUT') return await send(url, init)
      const socket: Socket = connect(hostd.port, '127.0.0.1')
      socket.on('error', () => undefined)
      const head = [
        `PUT ${path}?kind=storage_state HTTP/1.1`,
        `host: 127.0.0.1:${hostd.port}`,
        `${adminTokenHeader}: ${at.host.token}`,
        'content-type: application/octet-stream',
        `content-length: ${renewed.length}`,
      ]
      socket.write(`${head.join('\r\n')}\r\n\r\n${renewed.slice(0, 100)}`)
      await until('the runner', () => at.host.processes().length > 1)
      const closed = once(socket, 'close')
      await hostd.kill()
      await closed
      return lost()
    })
    const flow = await bring(client)
    expect(flow).toMatchObject({ end: { state: 'failed', error_class: 'hostd_unreachable' } })
    expect(flow.steps.find(({ state }) => state === 'fail')?.id).toBe('send')
    await until('the end of the runner', () => at.host.processes().length === 0)
    expect([text(), waiting()]).toEqual([before, []])
    await comeBack()
    expect(await bring(plain)).toMatchObject({ end: { state: 'ready' } })
    expect([text(), waiting()]).toEqual([renewed, []])
  })

  it('in the middle of a proof: the old secret is in use until the run has ended, and HQ says how', async () => {
    const before = text()
    const held: ServerResponse[] = []
    at.kajabi.answer = (_request, response) => void held.push(response)
    const flow = bring(plain)
    await until('the host requests Kajabi', () => held.length > 0)
    await hostd.kill()
    expect([text(), existsSync(join(at.folder, 'kajabi_storage_state.candidate.json'))]).toEqual([
      before,
      true,
    ])
    await comeBack()
    expect(text()).toBe(before)
    at.kajabi.answer = kajabi(fresh)
    for (const response of held)
      response.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Dashboard</h1>')
    expect(await flow).toMatchObject({ end: { state: 'ready' } })
    expect([text(), waiting()]).toEqual([renewed, []])
  })
})
