import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { seeds } from '../../../support/seeded.ts'
import { eventCount, expectShipResolved, oneOfEachKill } from '../../../support/ship-kills.ts'
import { until } from '../../../support/ship-repo.ts'
import { shipFixture } from '../../../support/ship-fixture.ts'

let lines: number
const at = shipFixture({
  repositoryPer: 'file',
  prepare: async ({ sample }) => {
    sample.commit('The first ship', { 'first.txt': 'x\n' })
    const { result, dir } = await sample.ship()
    expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
    lines = eventCount(dir)
  },
})

describe('a ship that was killed', () => {
  it('right after its push is confirmed by the next ship, which tests again and adopts the verdict', async () => {
    const head = at.sample.commit('Pushed and killed', { 'pushed.txt': 'x\n' })
    const hook = join(at.sample.origin, 'hooks', 'post-receive')
    writeFileSync(hook, '#!/bin/sh\ngrep -q refs/heads/ && exec sleep 600\n', { mode: 0o755 })
    const running = at.sample.start()
    const closed = new Promise((resolve) => {
      running.child.once('exit', resolve)
    })
    // The remote takes the push and says so to nobody: the ship waits for it when it is killed.
    await until(
      'origin to have the commit',
      () => at.sample.remoteRefs()['refs/heads/main'] === head,
    )
    running.child.kill('SIGKILL')
    await closed
    rmSync(hook)
    expect(at.sample.remoteRefs()['refs/heads/main']).toBe(head)
    const calls = at.api.calls()
    const { result } = await at.sample.ship()
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
    expect(at.api.calls()).toBe(calls)
    expect((await at.sample.ship()).result).toMatchObject({
      overall: 'FAIL',
      error_class: 'nothing_to_ship',
    })
  })

  it('is not assumed behind what another laptop shipped: nothing is shipped and no test runs', async () => {
    const home = join(at.sample.temp, '..', 'second-laptop')
    mkdirSync(home)
    copyFileSync(join(at.sample.home, 'settings.json'), join(home, 'settings.json'))
    const settings = JSON.parse(readFileSync(join(home, 'settings.json'), 'utf8')) as object
    writeFileSync(join(home, 'settings.json'), JSON.stringify({ ...settings, baselines: {} }))
    renameSync(join(at.sample.repo, 'artifacts'), join(home, 'artifacts'))
    const { result } = await at.sample.ship({ OPENCLAW_HQ_HOME: home })
    rmSync(join(at.sample.repo, 'artifacts'), { recursive: true })
    renameSync(join(home, 'artifacts'), join(at.sample.repo, 'artifacts'))
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'nothing_to_ship',
      step_failed: 'preflight',
      tests: [],
    })
  })

  // `npm run campaign` tries all seeds.
  const sample = oneOfEachKill(seeds)
  it('is tried with each of the four kinds of kill', () => {
    expect(sample).toHaveLength(4)
  })

  it.each(sample)('leaves no half-pushed state at a random moment: seed %i', async (seed) => {
    console.log(await expectShipResolved(at.sample, at.api.base_url, seed, lines))
  })
})
