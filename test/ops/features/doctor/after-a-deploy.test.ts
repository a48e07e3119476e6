import { chmodSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checksResult, type ChecksResult } from '#shared/result'
import type { ActionId } from '#shared/actions'
import { resumeServices, stopServices } from '#ops/host/engines/process/resume'
import { readRecord, readRecords } from '#ops/core/host-state/service-record'
import { requestRecordFile } from '#ops/core/host-state/request-record'
import { readGuardLog } from '#ops/features/guard/log'
import { turnMaintenanceOff, turnMaintenanceOn } from '#ops/core/host-state/maintenance'
import { identify } from '#ops/base/process/process-tree'
import { deployHost, type DeployHost } from '../../../support/host.ts'
import { hq, until } from '../../../support/hostd.ts'

let at: DeployHost
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
  const { result } = await at.deploy()
  expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
})
afterAll(async () => {
  await at.remove()
})

const action = async (id: ActionId): Promise<ChecksResult> =>
  checksResult.parse((await at.hostd.client.startOrJoin(id)).run.result)
const check = ({ checks }: ChecksResult, name: string) => checks.find((each) => each.name === name)
/** Kills the app as a crash would, and waits until the kernel has forgotten it. */
async function killApp(): Promise<number> {
  const pid = readRecord(at.host.paths, 'app')?.pid ?? 0
  process.kill(pid, 'SIGKILL')
  await until('the app to be gone', () => identify(pid) === null)
  return pid
}

describe('doctor', () => {
  it('passes right after a deploy, with figures in its details', async () => {
    const result = await action('doctor')
    expect(result.overall, JSON.stringify(result.checks, null, 1)).toBe('PASS')
    for (const name of [
      'hostd_health',
      'hostd_auth',
      'console_route',
      'services',
      'git_head',
      'git_drift',
      'project_state',
      'last_deploy',
      'maintenance',
      'secret_modes',
      'clock',
      'safe_directory',
      'clone_config',
      'unproven_commits',
      'unproven_on_origin',
      'funnel_requests',
      'service_data',
      'ports:hostd',
      'ports:app',
      'ports:openclaw-console',
    ]) {
      expect(check(result, name), name).toMatchObject({ status: 'PASS', remedy: null })
    }
    expect(check(result, 'disk:state')?.detail).toMatch(
      /\d+\.\d % of the space in use, \d+\.\d GiB free; \d+\.\d % of the inodes/,
    )
    for (const name of [
      'connector_expiry',
      'ports:others',
      'timer:doctor',
      'timer:guard',
      'units',
      'docker',
      'docker_disk',
      'containers',
    ])
      expect(check(result, name), name).toMatchObject({
        status: 'SKIP',
        detail: expect.stringMatching(/\w{3}/),
      })
    expect(
      checksResult.parse(
        JSON.parse(
          readFileSync(
            join(at.host.paths.artifacts, 'doctor', result.run_id, 'doctor.json'),
            'utf8',
          ),
        ),
      ),
    ).toEqual(result)
  })

  it('H6 fails each check with its remedy: an open token, a moved HEAD, a Funnel request, a dead service', async () => {
    chmodSync(at.host.paths.tokenFile, 0o644)
    const target = at.git(at.host.paths.root, 'rev-parse', 'HEAD')
    at.git(at.host.paths.root, 'commit', '--quiet', '--allow-empty', '-m', 'by hand')
    at.git(at.host.paths.root, 'config', 'core.fsmonitor', 'watch')
    expect(
      (await fetch(`${at.hostd.url}/health`, { headers: { 'tailscale-funnel-request': '?1' } }))
        .status,
    ).toBe(403)
    await killApp()
    // hostd does not use an open token, so doctor runs beside it and says why.
    expect((await at.hostd.request('/api/runs')).status).toBe(503)
    const { code, out } = await hq(at.host, ['doctor', '--json'], {
      OPENCLAW_HOSTD_URL: at.hostd.url,
    })
    expect(code).toBe(1)
    const result = checksResult.parse(JSON.parse(out))
    rmSync(requestRecordFile(at.host.paths, 'funnel'))
    at.git(at.host.paths.root, 'config', '--unset', 'core.fsmonitor')
    chmodSync(at.host.paths.tokenFile, 0o640)
    at.git(at.host.paths.root, 'reset', '--quiet', '--hard', target)
    await resumeServices(at.host.paths)
    expect(result).toMatchObject({ overall: 'FAIL', error_class: 'doctor_failed' })
    expect(check(result, 'secret_modes')).toMatchObject({
      status: 'FAIL',
      remedy: 'protect_secrets',
      detail: expect.stringContaining('has mode 0644, which lets others read it'),
    })
    expect(check(result, 'unproven_commits')).toMatchObject({
      status: 'FAIL',
      remedy: 'ship_the_commit',
      detail: expect.stringMatching(
        /^HEAD has 1 commit without a verified review: [0-9a-f]{12} "by hand"/,
      ),
    })
    expect(check(result, 'clone_config')).toMatchObject({
      status: 'WARN',
      remedy: 'repair_clone',
      detail: expect.stringContaining('core.fsmonitor = watch'),
    })
    expect(check(result, 'funnel_requests')).toMatchObject({
      status: 'FAIL',
      remedy: 'close_tailscale_serve',
      detail: expect.stringMatching(/^1 request came from the public internet/),
    })
    expect(check(result, 'git_head')).toMatchObject({ status: 'FAIL', remedy: 'deploy_again' })
    expect(check(result, 'services')).toMatchObject({ status: 'FAIL', remedy: 'deploy_again' })
    expect(check(result, 'hostd_health')).toMatchObject({ status: 'PASS' })
  })

  it('warns of drift and unreviewed commits on origin without changing the clone; fails if hostd is down', async () => {
    await at.ship({ message: 'not deployed yet' })
    const unreviewed = await at.ship({ message: 'nobody looked' }, { reviewed: false })
    const refs = at.git(at.host.paths.root, 'for-each-ref')
    const stopped = { ...at.host.env, OPENCLAW_HOSTD_PORT: '1' }
    const { code, out } = await hq(at.host, ['doctor', '--json'], stopped)
    const result = checksResult.parse(JSON.parse(out))
    expect(code).toBe(1)
    expect(check(result, 'git_drift')).toMatchObject({ status: 'WARN' })
    expect(check(result, 'unproven_on_origin')).toMatchObject({
      status: 'WARN',
      remedy: 'ship_the_commit',
      detail: expect.stringContaining(
        `has 1 commit without a verified review: ${unreviewed.slice(0, 12)} "nobody looked"`,
      ),
    })
    expect(check(result, 'unproven_commits')).toMatchObject({ status: 'PASS' })
    expect(at.git(at.host.paths.root, 'for-each-ref')).toBe(refs)
    expect(check(result, 'hostd_health')).toMatchObject({
      status: 'FAIL',
      remedy: 'retry_when_reachable',
    })
  })
})

describe('guard', () => {
  it('restarts a dead service and writes one line; it only observes while maintenance is on', async () => {
    const dead = await killApp()
    await turnMaintenanceOn(at.host.paths, { deployRunId: null, reason: 'test' })
    const looked = await action('guard')
    await turnMaintenanceOff(at.host.paths)
    expect(looked).toMatchObject({ overall: 'FAIL', error_class: 'guard_failed' })
    expect(await at.message()).toBeNull()

    const acted = await action('guard')
    expect(acted.overall, JSON.stringify(acted.checks)).toBe('PASS')
    expect(check(acted, 'service:app')).toMatchObject({ status: 'WARN' })
    expect(await at.message()).toMatchObject({ message: 'one' })
    expect(readRecord(at.host.paths, 'app')?.pid).not.toBe(dead)
    expect(readGuardLog(at.host.paths, 2).lines).toMatchObject([
      { run_id: looked.run_id, restarted: [], observed_only: true },
      { run_id: acted.run_id, restarted: ['app'], observed_only: false },
    ])
  })
})

describe('services', () => {
  it('are stopped and started again from their records, as after a reboot', async () => {
    const before = readRecords(at.host.paths)
    await stopServices(at.host.paths)
    expect(await at.message()).toBeNull()
    expect((await resumeServices(at.host.paths)).map(({ name, state }) => [name, state])).toEqual([
      ['app', 'started'],
      ['openclaw-console', 'started'],
    ])
    expect(await at.message()).toMatchObject({ message: 'one' })
    expect(readRecords(at.host.paths).map(({ sha, digest }) => [sha, digest])).toEqual(
      before.map(({ sha, digest }) => [sha, digest]),
    )
    expect((await resumeServices(at.host.paths)).map(({ state }) => state)).toEqual([
      'running',
      'running',
    ])
  })

  it('carry no marker of the run that started them, and no token', () => {
    for (const { pid } of readRecords(at.host.paths)) {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8')
      expect(environment).toContain('OPENCLAW_SERVICE=')
      expect(environment).not.toMatch(/OPENCLAW_(RUN_ID|COMMAND|DEPLOY|EVENTS)/)
      expect(environment).not.toContain(at.host.token)
    }
  })
})

it('green_check, verify, dod and the port audit pass on a green host as actions of hostd', async () => {
  for (const id of ['green_check', 'port_audit', 'verify_production', 'dod'] as const) {
    const { run } = await at.hostd.client.startOrJoin(id)
    expect(run, JSON.stringify(run.result)).toMatchObject({ action: id, status: 'passed' })
  }
})

it('ends maintenance as an action of hostd', async () => {
  await turnMaintenanceOn(at.host.paths, { deployRunId: null, reason: 'test' })
  const { run } = await at.hostd.client.startOrJoin('maintenance_clear')
  expect(run.status).toBe('passed')
  expect(at.maintenance()).toBeNull()
})
