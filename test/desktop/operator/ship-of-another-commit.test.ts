import { expect, it } from 'vitest'
import { operatorBench, until } from '../../support/operator-bench.ts'
import { startResponsesApi } from '../../support/responses-api.ts'
import { makeShipRepo } from '../../support/ship-repo.ts'
import { stateNow } from '../../support/state.ts'

it('what a running ship has passed is no evidence about a commit that was added meanwhile', async () => {
  const api = await startResponsesApi()
  const repo = makeShipRepo(api.base_url)
  const bench = operatorBench({ home: repo.home, env: repo.env })
  try {
    await bench.call('settings.set_repository', { path: repo.repo })
    const shipped = repo.commit('A change', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
    api.script(() => 'hang')
    const { run_id } = await bench.call('ship.start', {})
    const overview = () => bench.call('overview.get', {})
    await until('the review to run', async () => (await overview()).ship?.step === 'review_auto')
    const before = stateNow(await overview()).change
    expect([before.commit, ...before.gates.slice(0, 3).map(({ state }) => state)]).toEqual([
      shipped,
      'pass',
      'running',
      'waiting',
    ])

    const added = repo.commit('Nobody tested this', { 'app.mjs': 'export const add = () => 0\n' })
    const after = await until('HQ to see the new commit', async () => {
      const { change } = stateNow(await overview())
      return change.commit === added && change
    })
    expect([after.commit, ...after.gates.slice(0, 3).map(({ state }) => state)]).toEqual([
      added,
      'waiting',
      'waiting',
      'waiting',
    ])
    await bench.call('ship.cancel', { run_id })
  } finally {
    await bench.operator.close()
    await repo.remove()
    await api.close()
  }
})
