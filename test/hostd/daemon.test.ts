import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hostdRefusal, startHostd, testHost, type TestHost } from '../support/hostd.ts'

let host: TestHost
beforeAll(() => {
  host = testHost()
})
afterAll(async () => {
  await host.remove()
})

describe('where hostd refuses to start', () => {
  it('serves loopback only', async () => {
    for (const address of [
      '0.0.0.0',
      '::',
      '192.168.1.5',
      '100.64.0.1',
      'localhost',
      '::ffff:127.0.0.1',
    ]) {
      const { code, out, err } = await hostdRefusal({
        ...host.env,
        OPENCLAW_HOSTD_PORT: '0',
        OPENCLAW_HOSTD_ADDRESS: address,
      })
      expect([address, code, out]).toEqual([address, 64, ''])
      expect(err).toMatch(/^hostd was not started: .*(loopback address|not an IP address)/)
    }
  })

  it('says that the port is in use, and that another hostd serves the same state', async () => {
    const hostd = await startHostd(host)
    const second = await hostdRefusal({ ...host.env, OPENCLAW_HOSTD_PORT: '0' })
    expect([second.code, second.err]).toEqual([1, expect.stringContaining('another hostd serves')])
    const other = testHost()
    const clash = await hostdRefusal({ ...other.env, OPENCLAW_HOSTD_PORT: String(hostd.port) })
    expect([clash.code, clash.err]).toEqual([
      1,
      expect.stringContaining(`127.0.0.1:${hostd.port} is in use`),
    ])
    await other.remove()
    await hostd.kill()
  })
})
