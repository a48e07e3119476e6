import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newRunId } from '#shared/ids'
import { checksResult, type ChecksResult } from '#shared/result'
import { writeServing } from '#ops/core/host-state/service-record'
import { startHostd, testHost, type TestHost, type TestHostd } from '../../../support/hostd.ts'

let host: TestHost
let hostd: TestHostd
beforeEach(async () => {
  host = testHost({ settings: { disk_warn_percent: 99, disk_fail_percent: 100 } })
  hostd = await startHostd(host)
})
afterEach(async () => {
  await hostd.stop()
  await host.remove()
})

const doctor = async (): Promise<ChecksResult> =>
  checksResult.parse((await hostd.client.startOrJoin('doctor')).run.result)
const statuses = ({ checks }: ChecksResult): Record<string, string> =>
  Object.fromEntries(checks.map(({ name, status }) => [name, status]))

describe('doctor on a host that was just installed', () => {
  it('fails nothing that only a deploy can bring, and says what is missing', async () => {
    const result = await doctor()
    expect([result.overall, statuses(result)]).toEqual([
      'PASS',
      expect.objectContaining({
        git_head: 'SKIP',
        git_drift: 'SKIP',
        unproven_commits: 'SKIP',
        hostd_auth: 'PASS',
      }),
    ])
    expect(result.checks.find(({ name }) => name === 'git_head')?.detail).toContain(
      'is not a clone yet; the first deploy needs one',
    )
  })

  it('fails what is already wrong', async () => {
    chmodSync(host.paths.hostSettings, 0o666)
    expect(await doctor()).toMatchObject({ overall: 'FAIL', step_failed: 'secret_modes' })
    chmodSync(host.paths.hostSettings, 0o644)
    mkdirSync(join(host.paths.root, '.git')) // a clone that is none
    expect(await doctor()).toMatchObject({ overall: 'FAIL', step_failed: 'git_head' })
  })

  it.each([
    ['something serves', (at: TestHost) => writeServing(at.paths, 'a'.repeat(40))],
    [
      'a deploy has ended',
      (at: TestHost) => {
        const file = join(at.paths.artifacts, 'deploy', newRunId(), 'deploy_result.json')
        mkdirSync(dirname(file), { recursive: true })
        writeFileSync(file, '{}')
      },
    ],
    [
      'there is a state',
      (at: TestHost) => {
        mkdirSync(dirname(at.paths.projectState), { recursive: true })
        writeFileSync(at.paths.projectState, '{}')
      },
    ],
  ])('fails for a missing clone once %s', async (_title, leave) => {
    leave(host)
    expect(statuses(await doctor())).toMatchObject({ git_head: 'FAIL', git_drift: 'FAIL' })
  })
})

describe('a host that is not ready', () => {
  it('says what a deploy requires, and who provides it', async () => {
    const { result } = (await hostd.client.startOrJoin('deploy_and_verify')).run
    expect(result).toMatchObject({
      overall: 'FAIL',
      step_failed: 'assert_production_pull_only',
      error_class: 'host_not_ready',
      next_auto_fix: 'finish_host',
    })
    expect(JSON.stringify(result)).toContain(
      `${host.paths.root} is not a clone, so there is nothing to deploy`,
    )
  })

  it('gets no PASS of guard for a pass that could probe nothing', async () => {
    const result = checksResult.parse((await hostd.client.startOrJoin('guard')).run.result)
    expect(result).toMatchObject({
      overall: 'FAIL',
      step_failed: 'checks',
      error_class: 'guard_failed',
    })
    expect(result.checks.map(({ name, status }) => `${name} ${status}`)).toEqual([
      'mode SKIP',
      'hostd SKIP',
      'timers SKIP',
      'services SKIP',
      'checks FAIL',
    ])
  })
})
