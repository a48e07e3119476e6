import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { whyNot } from '#shared/state/buttons'
import type { RunEnd } from '../../../../desktop/operator/host/deploys.ts'
import { typicalDurations } from '#shared/typical-durations'
import { writeJson } from '#ops/base/files/json-file'
import {
  scriptedInstall,
  startHostd,
  testHost,
  type TestHost,
  type TestHostd,
} from '../../../support/hostd.ts'
import { operatorBench, until, type OperatorBench } from '../../../support/operator-bench.ts'
import { makeShipRepo, type ShipRepo } from '../../../support/ship-repo.ts'
import { stateNow } from '../../../support/state.ts'

/** A real hostd whose deploy waits in its second step until the test lets it go on. */
describe('a deploy on the host, as the Overview shows it', () => {
  let dir: string
  let host: TestHost
  let hostd: TestHostd
  let repo: ShipRepo
  let bench: OperatorBench
  let open: (gate: string) => void
  const ended: RunEnd[] = []

  beforeAll(async () => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'deploys-test-')))
    const scripted = scriptedInstall(dir, {
      deploy: `import { emit, finish, gate } from './kit.mjs'
const started_at = new Date().toISOString()
const step = (name) => ({ name, status: 'passed', started_at, duration_ms: 40, log: null, detail: null })
emit({ type: 'run_started', action: 'deploy_and_verify', steps: ['assert_production_pull_only', 'git_sync'] })
emit({ type: 'step_started', step: 'git_sync' })
await gate('go')
emit({ type: 'step_finished', step: 'git_sync', status: 'passed', duration_ms: 40, detail: null, error_class: null })
finish('PASS', { steps: [step('git_sync')] })`,
      rollback: `import { emit, finish, gate } from './kit.mjs'
emit({ type: 'run_started', action: 'rollback', steps: ['git_sync'] })
emit({ type: 'step_started', step: 'git_sync' })
await gate('back')
finish('PASS')`,
    })
    open = (gate) => scripted.open(gate)
    host = testHost({ install: scripted.install })
    hostd = await startHostd(host)
    repo = makeShipRepo('http://127.0.0.1:9/v1')
    bench = operatorBench({ home: repo.home, env: repo.env, onRunEnded: (end) => ended.push(end) })
    await bench.call('settings.set_repository', { path: repo.repo })
    await bench.call('settings.set_host', { name: 'test-host', url: hostd.url, token: host.token })
  })
  afterAll(async () => {
    await bench.operator.close()
    await hostd.stop()
    await host.remove()
    await repo.remove()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })

  it('names the step it is in, blocks a second press, and reports its end and how long it takes', async () => {
    await until(
      'the host is online',
      async () => (await bench.call('overview.get', {})).connection.state === 'online',
    )
    const { run_id } = await bench.call('host.exec', { action: 'deploy_and_verify' })
    const running = await until('the deploy is in git_sync', async () => {
      const overview = await bench.call('overview.get', {})
      return (
        stateNow(overview).change.gates.find(({ name }) => name === 'deployed')?.detail ===
          'git_sync' && overview
      )
    })
    expect(stateNow(running).change.gates.find(({ name }) => name === 'deployed')).toMatchObject({
      state: 'running',
    })
    expect(whyNot(stateNow(running).buttons.deploy)).toBe('Deploy+Verify is running already.')
    // U8: doctor waits for a deploy that holds maintenance, and the button says so.
    const since = new Date().toISOString()
    const file = { schema_version: 1, deploy_run_id: run_id, reason: 'deploy', since }
    writeJson(host.paths.maintenance, file)
    expect((await bench.refused('host.exec', { action: 'doctor' })).error_class).toBe(
      'MAINTENANCE_MODE',
    )
    const held = await until('HQ to see it', async () => {
      const overview = await bench.call('overview.get', {})
      return overview.status?.maintenance.on === true && overview
    })
    expect(stateNow(held).buttons.of('doctor')).toMatchObject({ state: 'blocked' })
    rmSync(host.paths.maintenance)
    open('go')
    const [end] = await until('its end is reported', () => ended.length > 0 && ended)
    expect(end).toMatchObject({
      source: 'host',
      title: 'Deploy+Verify',
      result: { run_id, overall: 'PASS' },
    })
    const after = await until('its duration is known, and that it runs no more', async () => {
      const overview = await bench.call('overview.get', {})
      return (
        overview.usual_ms['deploy_and_verify/git_sync'] !== undefined &&
        stateNow(overview).buttons.deploy.state === 'ready' &&
        overview
      )
    })
    expect(after.usual_ms['deploy_and_verify/git_sync']).toBe(40)
    expect(stateNow(after).change.gates.find(({ name }) => name === 'deployed')?.state).not.toBe(
      'running',
    )
  })

  it('goes on following a deploy through a restart of hostd', async () => {
    rmSync(join(dir, 'install', 'gates', 'go'), { force: true })
    ended.length = 0
    const { run_id } = await bench.call('host.exec', { action: 'deploy_and_verify' })
    await until(
      'the deploy is in git_sync',
      async () =>
        stateNow(await bench.call('overview.get', {})).change.gates.find(
          ({ name }) => name === 'deployed',
        )?.detail === 'git_sync',
    )
    const { port } = hostd
    await hostd.kill()
    await until(
      'the host is away',
      async () => (await bench.call('overview.get', {})).connection.state === 'offline',
    )
    open('go')
    hostd = await startHostd(host, { port })
    const [end] = await until('its end is reported', () => ended.length > 0 && ended)
    expect(end).toMatchObject({ result: { run_id, overall: 'PASS' } })
  })

  it('reports the end of a rollback too, whose steps say nothing of the newest change', async () => {
    ended.length = 0
    const { run_id } = await bench.call('host.exec', { action: 'rollback' })
    const overview = await until('the rollback runs', async () => {
      const now = await bench.call('overview.get', {})
      return (
        now.status?.active_runs.some((run) => run.run_id === run_id && run.status === 'running') &&
        now
      )
    })
    expect(stateNow(overview).change.gates.map(({ state }) => state)).not.toContain('running')
    open('back')
    const [end] = await until('its end is reported', () => ended.length > 0 && ended)
    expect(end).toMatchObject({
      source: 'host',
      title: 'Roll back',
      result: { run_id, overall: 'PASS' },
    })
  })
})

describe('how long a step usually takes', () => {
  it('is the median of the runs that passed it', () => {
    const run = (total_ms: number, duration_ms: number) => ({
      action: 'ship',
      total_ms,
      steps: [
        { name: 'tests', status: 'passed' as const, duration_ms },
        { name: 'review_auto', status: 'skipped' as const, duration_ms: 1 },
      ],
    })
    expect(typicalDurations([run(100, 10), run(900, 90), run(200, 20)])).toEqual({
      ship: 200,
      'ship/tests': 20,
    })
    expect(typicalDurations([run(100, 10), run(200, 30)])).toEqual({ ship: 150, 'ship/tests': 20 })
  })
})
