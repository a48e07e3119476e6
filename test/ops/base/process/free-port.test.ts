import { createServer } from 'node:net'
import { expect, it } from 'vitest'
import { freePort } from '#ops/base/process/free-port'
import { freePort as testPort } from '../../../support/ports.ts'

it('takes the former port when it is free, and never one that the system may give out meanwhile', async () => {
  const before = await testPort()
  expect(await freePort(before)).toBe(before)
  const holder = createServer()
  await new Promise<void>((resolve) => {
    holder.listen(before, '127.0.0.1', resolve)
  })
  try {
    for (const port of [await freePort(before), await freePort()]) {
      expect(port).toBeGreaterThanOrEqual(20_000)
      expect(port).toBeLessThan(30_000)
    }
  } finally {
    holder.close()
  }
})
