import { afterAll, beforeAll, expect, it } from 'vitest'
import { approve, startResponsesApi, type ResponsesApi } from '../support/responses-api.ts'
import { eventCount, expectShipResolved } from '../support/ship-kills.ts'
import { makeShipRepo, type ShipRepo } from '../support/ship-repo.ts'
import { report, seedSeries } from './seeds.ts'

let api: ResponsesApi
let sample: ShipRepo
let lines: number
beforeAll(async () => {
  api = await startResponsesApi()
  api.script(approve)
  sample = makeShipRepo(api.base_url)
  sample.commit('The first ship', { 'first.txt': 'x\n' })
  const { result, dir } = await sample.ship()
  expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
  lines = eventCount(dir)
})
afterAll(async () => {
  await sample.remove()
  await api.close()
})

it.each(seedSeries())(
  'a ship killed at a random moment leaves no half-pushed state: %s',
  async (_, seeds) => {
    const failed: string[] = []
    for (const seed of seeds)
      await expectShipResolved(sample, api.base_url, seed, lines).catch((error: unknown) =>
        failed.push(String(error)),
      )
    report(
      'kills of a ship at a moment of chance; the next one resolves it',
      seeds,
      seeds.length,
      failed.length,
    )
    expect(failed).toEqual([])
  },
)
