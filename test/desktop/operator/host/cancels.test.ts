import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Overview } from '#shared/bridge'
import {
  scriptedInstall,
  startHostd,
  testHost,
  type TestHost,
  type TestHostd,
} from '../../../support/hostd.ts'
import { operatorBench, until, type OperatorBench } from '../../../support/operator-bench.ts'

/** A real hostd with a deploy that waits for ever. */
describe('a cancel of a run on the host, as the Overview shows it', () => {
  let dir: string
  let host: TestHost
  let hostd: TestHostd
  let bench: OperatorBench

  beforeAll(async () => {
    dir = realpathSync(mkdtempSync(join(tmpdir(), 'cancels-test-')))
    const { install } = scriptedInstall(dir, {
      deploy: `import { emit, gate } from './kit.mjs'
emit({ type: 'run_started', action: 'deploy_and_verify', steps: ['git_sync'] })
emit({ type: 'step_started', step: 'git_sync' })
await gate('never')`,
    })
    host = testHost({ install })
    hostd = await startHostd(host)
    bench = operatorBench()
    await bench.call('settings.set_host', { name: 'test-host', url: hostd.url, token: host.token })
  })
  afterAll(async () => {
    await bench.remove()
    await hostd.stop()
    await host.remove()
    rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  })

  const overviewWhere = <T>(
    what: string,
    probe: (overview: Overview) => T | null | undefined | false,
  ): Promise<T> => until(what, async () => probe(await bench.call('overview.get', {})))
  const activeIn = ({ status }: Overview, id: string) =>
    status?.active_runs.find(({ run_id }) => run_id === id)
  const startDeploy = async (): Promise<string> => {
    const { run_id } = await bench.call('host.exec', { action: 'deploy_and_verify' })
    await overviewWhere(
      'the deploy runs',
      (overview) => activeIn(overview, run_id)?.status === 'running',
    )
    return run_id
  }

  it('is shown by HQ and by the host from the press to the end, and then by neither', async () => {
    const run_id = await startDeploy()
    const before = new Date().toISOString()
    // A runner that does not move is given ten seconds before it is killed.
    const { pid } = JSON.parse(readFileSync(join(host.paths.runs, run_id, 'run.json'), 'utf8')) as {
      pid: number
    }
    process.kill(pid, 'SIGSTOP')
    const first = bench.call('host.cancel', { run_id })
    const asked = await overviewWhere('HQ says that it is being cancelled', ({ cancels }) =>
      cancels?.find((each) => each.run_id === run_id),
    )
    expect(asked).toMatchObject({ source: 'host', problem: null })
    expect(asked.asked_at >= before).toBe(true)
    const seen = await overviewWhere(
      'the host says so too',
      (overview) => activeIn(overview, run_id)?.cancel_asked_at,
    )
    expect(seen >= before).toBe(true)
    const { body } = await hostd.request(`/api/runs?id=${run_id}`)
    expect(body).toMatchObject({ run: { status: 'running', cancel_asked_at: seen } })
    // A second press waits for the first.
    await Promise.all([first, bench.call('host.cancel', { run_id })])
    const after = await bench.call('overview.get', {})
    expect(after.cancels).toEqual([])
    expect(after.status?.active_runs).toEqual([])
    const { run } = await bench.call('host.run', { run_id })
    expect(run).toMatchObject({ status: 'cancelled', error_class: 'cancelled' })
    expect(run).not.toHaveProperty('cancel_asked_at')
  })

  it('that did not reach the host is kept with its class until the run ends, and can be repeated', async () => {
    const run_id = await startDeploy()
    await hostd.kill()
    expect((await bench.refused('host.cancel', { run_id })).error_class).toBe('hostd_unreachable')
    const { cancels } = await bench.call('overview.get', {})
    expect(cancels).toEqual([
      expect.objectContaining({
        source: 'host',
        run_id,
        problem: expect.objectContaining({
          error_class: 'hostd_unreachable',
          next_auto_fix: 'retry_when_reachable',
        }),
      }),
    ])

    hostd = await startHostd(host, { port: hostd.port })
    const back = await overviewWhere(
      'the host is back and the run still runs',
      (overview) =>
        overview.connection.state === 'online' && activeIn(overview, run_id) && overview,
    )
    expect(back.cancels).toHaveLength(1)
    expect(activeIn(back, run_id)?.cancel_asked_at).toBeUndefined()
    await bench.call('host.cancel', { run_id })
    expect((await bench.call('host.run', { run_id })).run.status).toBe('cancelled')
    expect((await bench.call('overview.get', {})).cancels).toEqual([])
    expect((await bench.refused('host.cancel', { run_id })).error_class).toBe('not_running')
    expect((await bench.call('overview.get', {})).cancels).toEqual([])
  })
})
