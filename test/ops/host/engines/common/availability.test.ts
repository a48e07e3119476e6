import { createServer } from 'node:http'
import { describe, expect, it } from 'vitest'
import { watchAvailability } from '#ops/host/engines/common/availability'
import { until } from '../../../../support/hostd.ts'
import { freePort } from '../../../../support/ports.ts'

describe('the time without an answer', () => {
  it('is measured from the last good answer to the next', async () => {
    let asked = 0
    const serve = async (port: number) => {
      const server = createServer((_request, response) => {
        asked += 1
        response.end('{}')
      })
      await new Promise<void>((resolve) => {
        server.listen(port, '127.0.0.1', resolve)
      })
      return server
    }
    const port = await freePort()
    const first = await serve(port)
    const begun = performance.now()
    const watch = watchAvailability(`http://127.0.0.1:${port}/`)
    await until('the first answers', () => asked > 2)
    first.closeAllConnections()
    await new Promise<void>((resolve) => {
      first.close(() => resolve())
    })
    const gone = performance.now()
    await until('300 ms without a server', () => performance.now() - gone > 300)
    const second = await serve(port)
    const before = asked
    await until('answers again', () => asked > before + 1)
    const measured = await watch.stop()
    second.closeAllConnections()
    second.close()
    expect(measured).toBeGreaterThanOrEqual(300)
    expect(measured).toBeLessThanOrEqual(Math.ceil(performance.now() - begun))
  })
})
