import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { approve, startResponsesApi, type ResponsesApi } from '../../../support/responses-api.ts'
import { seeds } from '../../../support/seeded.ts'
import { eventCount, expectShipResolved } from '../../../support/ship-kills.ts'
import { makeShipRepo, until, type ShipRepo } from '../../../support/ship-repo.ts'

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

describe('a ship that was killed', () => {
  it('right after its push took place is found by the next one, which runs the tests again, takes the verdict from the remote and confirms', async () => {
    const head = sample.commit('Pushed and killed', { 'pushed.txt': 'x\n' })
    const hook = join(sample.origin, 'hooks', 'post-receive')
    writeFileSync(hook, '#!/bin/sh\nexec sleep 600\n', { mode: 0o755 })
    const running = sample.start()
    const closed = new Promise((resolve) => {
      running.child.once('exit', resolve)
    })
    // The remote takes the push and says so to nobody: the ship waits for it when it is killed.
    await until('origin to have the commit', () => sample.remoteRefs()['refs/heads/main'] === head)
    running.child.kill('SIGKILL')
    await closed
    rmSync(hook)
    expect(sample.remoteRefs()['refs/heads/main']).toBe(head)
    const calls = api.calls()
    const { result } = await sample.ship()
    expect(result).toMatchObject({
      overall: 'PASS',
      git_head: head,
      pushed_sha: head,
      remote_sha: head,
      verdict_id: `verdict-${running.runId}`,
    })
    expect(result.steps.find(({ name }) => name === 'preflight')?.detail).toContain(
      `was pushed by ${running.runId} and not confirmed; it left no result, so its tests are run again`,
    )
    expect(result.tests[0]).toMatchObject({ name: 'unit', passed: 1, failed: 0 })
    expect(api.calls()).toBe(calls)
    expect((await sample.ship()).result).toMatchObject({
      overall: 'FAIL',
      error_class: 'nothing_to_ship',
    })
  })

  it('is not suspected behind what another laptop shipped: there is nothing to ship, and no test is run', async () => {
    const home = join(sample.temp, '..', 'second-laptop')
    mkdirSync(home)
    copyFileSync(join(sample.home, 'settings.json'), join(home, 'settings.json'))
    const settings = JSON.parse(readFileSync(join(home, 'settings.json'), 'utf8')) as object
    writeFileSync(join(home, 'settings.json'), JSON.stringify({ ...settings, baselines: {} }))
    renameSync(join(sample.repo, 'artifacts'), join(home, 'artifacts'))
    const { result } = await sample.ship({ OPENCLAW_HQ_HOME: home })
    rmSync(join(sample.repo, 'artifacts'), { recursive: true })
    renameSync(join(home, 'artifacts'), join(sample.repo, 'artifacts'))
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'nothing_to_ship',
      step_failed: 'preflight',
      tests: [],
    })
  })

  it.each(seeds)('at a moment of chance leaves no half-pushed state: seed %i', async (seed) => {
    console.log(await expectShipResolved(sample, api.base_url, seed, lines))
  })
})
