import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checksResult, type ChecksResult } from '#shared/result'
import { resumeServices } from '#ops/host/engines/process/resume'
import { readRecord } from '#ops/core/host-state/service-record'
import { stillStarting } from '#ops/host/engines/common/still-starting'
import { attemptsFileOf } from '#ops/features/guard/attempts'
import { guardLogFile, readGuardLog, type GuardLine } from '#ops/features/guard/log'
import { turnMaintenanceOff } from '#ops/core/host-state/maintenance'
import { identify } from '#ops/base/process/process-tree'
import { takeLock } from '#ops/base/files/lock'
import { laneLockFile } from '#ops/core/host-state/locks'
import { readRunResult } from '#ops/host/runner/run-files'
import { deployHost, type DeployHost } from '../../../support/host.ts'
import { hq, until } from '../../../support/hostd.ts'
import { sampleApp } from '../../../support/sample-app.ts'

/** The sample app, which reports once that it is unhealthy for each file of this name in its release. */
const sickOnce = (program: string): string => `import { rmSync } from 'node:fs'
const wellNow = () => { try { rmSync('sick-once'); return false } catch { return true } }
${program.replace('ok: !sick,', 'ok: wellNow() && !sick,')}`

/** What the sample app is given to start, seconds: guard leaves it alone as long. */
const startSeconds = 8

let at: DeployHost
beforeAll(async () => {
  const version = { message: 'one', startSeconds }
  at = await deployHost(version)
  await at.ship(version, {
    files: { 'server.mjs': sickOnce(sampleApp(version, at.ports.app)['server.mjs'] ?? '') },
  })
  const { result } = await at.deploy()
  expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
})
afterAll(async () => {
  await at.remove()
})

const forget = (): void => {
  for (const file of [attemptsFileOf(at.host.paths), guardLogFile(at.host.paths)])
    rmSync(file, { force: true })
}
const guard = async (): Promise<ChecksResult> =>
  checksResult.parse((await at.hostd.client.startOrJoin('guard')).run.result)
const app = ({ checks }: ChecksResult) => checks.find(({ name }) => name === 'service:app')
const lastLine = (): GuardLine | undefined => readGuardLog(at.host.paths, 1).lines[0]
const pidOf = (): number => readRecord(at.host.paths, 'app')?.pid ?? 0
async function killApp(): Promise<void> {
  const pid = pidOf()
  process.kill(pid, 'SIGKILL')
  await until('the app to be gone', () => identify(pid) === null)
}
const settled = async (): Promise<unknown> =>
  await until(
    'the app to be past the time it is given to start',
    () => !stillStarting(readRecord(at.host.paths, 'app')?.started_at ?? '', startSeconds),
  )
const answers = async (): Promise<void> =>
  expect(await at.message()).toMatchObject({ message: 'one' })

describe('guard, for services that are plain processes,', () => {
  beforeEach(forget)
  // Whatever a test left: the app runs again for the next.
  afterEach(async () => {
    at.settings({ guard_per_hour: 5 })
    await turnMaintenanceOff(at.host.paths)
    expect((await resumeServices(at.host.paths)).filter(({ state }) => state === 'failed')).toEqual(
      [],
    )
    await answers()
  })

  it('restarts one that hangs in its recorded version, and says so in its line', async () => {
    const before = readRecord(at.host.paths, 'app')
    await settled()
    process.kill(pidOf(), 'SIGSTOP')
    const result = await guard()
    expect([result.overall, app(result)]).toMatchObject([
      'PASS',
      {
        status: 'WARN',
        remedy: 'restart_service',
        detail: expect.stringContaining('it did not answer in time') as string,
      },
    ])
    const after = readRecord(at.host.paths, 'app')
    expect([after?.sha, after?.digest, after?.release]).toEqual([
      before?.sha,
      before?.digest,
      before?.release,
    ])
    expect([after?.pid === before?.pid, identify(before?.pid ?? 0)]).toEqual([false, null])
    expect(lastLine()).toMatchObject({
      run_id: result.run_id,
      overall: 'PASS',
      restarted: ['app'],
      observed_only: false,
      observed_why: null,
      remediations: [
        {
          remediation: 'restart_service',
          target: 'app',
          outcome: 'applied',
          reason: `it was started again as process ${after?.pid} and answers on port ${at.ports.app}`,
        },
      ],
    })
    await answers()
  })

  it('leaves one alone that is unhealthy at the first probe only', async () => {
    const pid = pidOf()
    await settled()
    const once = join(readRecord(at.host.paths, 'app')?.release ?? '', 'sick-once')
    writeFileSync(once, '')
    const result = await guard()
    expect([existsSync(once), result.overall, pidOf()]).toEqual([false, 'PASS', pid])
    expect(lastLine()).toMatchObject({ run_id: result.run_id, remediations: [] })
  })

  it('only observes while maintenance cannot be read or a deploy runs, and says why', async () => {
    await killApp()
    writeFileSync(at.host.paths.maintenance, '{ half a')
    expect(app(await guard())).toMatchObject({ status: 'FAIL', remedy: 'deploy_again' })
    expect(lastLine()).toMatchObject({
      overall: 'FAIL',
      observed_only: true,
      observed_why: expect.stringContaining('cannot be read') as string,
      remediations: [{ target: 'app', outcome: 'observed' }],
    })
    await turnMaintenanceOff(at.host.paths)

    const deploy = await takeLock(laneLockFile(at.host.paths, 'deploy'), 1000)
    try {
      expect(app(await guard())).toMatchObject({ status: 'FAIL' })
    } finally {
      deploy?.release()
    }
    expect(lastLine()).toMatchObject({
      observed_only: true,
      observed_why: 'a deploy is running',
      remediations: [{ outcome: 'observed' }],
    })
    expect([
      await at.message(),
      readGuardLog(at.host.paths, 9).lines.flatMap(({ restarted }) => restarted),
    ]).toEqual([null, []])
  })

  it('does not touch services that another process is switching', async () => {
    await killApp()
    const switching = await takeLock(join(at.host.paths.locks, 'services.lock'), 1000)
    try {
      expect(app(await guard())).toMatchObject({ status: 'FAIL' })
    } finally {
      switching?.release()
    }
    expect(lastLine()).toMatchObject({
      remediations: [
        { outcome: 'left', reason: expect.stringContaining('No service was touched') as string },
      ],
    })
    expect(await at.message()).toBeNull()
  })

  it('stops at its limit, also after a reboot with a slow clock, until the hour is over', async () => {
    at.settings({ guard_per_hour: 1 })
    await killApp()
    expect((await guard()).overall).toBe('PASS')
    await killApp()
    const refused = await guard()
    expect([refused.overall, refused.error_class, app(refused)]).toMatchObject([
      'FAIL',
      'guard_failed',
      { status: 'FAIL', remedy: 'see_guard_log' },
    ])
    expect(lastLine()).toMatchObject({
      remediations: [
        {
          target: 'app',
          outcome: 'refused',
          reason: 'it was tried 1 times within the last hour, and 1 is the limit',
        },
      ],
    })

    const file = attemptsFileOf(at.host.paths)
    const stored = (): { attempts: { at: string; boot_id: string; uptime_seconds: number }[] } =>
      JSON.parse(readFileSync(file, 'utf8')) as ReturnType<typeof stored>
    const rewrite = (change: object): void => {
      const now = stored()
      writeFileSync(
        file,
        JSON.stringify({ ...now, attempts: now.attempts.map((each) => ({ ...each, ...change })) }),
      )
    }
    rewrite({ at: '2099-01-01T00:00:00.000Z', boot_id: 'the boot before', uptime_seconds: 5 })
    expect(app(await guard())).toMatchObject({ status: 'FAIL', remedy: 'see_guard_log' })
    expect(stored().attempts[0]?.boot_id).not.toBe('the boot before') // from here on it ages
    rewrite({ uptime_seconds: (stored().attempts[0]?.uptime_seconds ?? 0) - 3600 })
    expect(app(await guard())).toMatchObject({ status: 'WARN', remedy: 'restart_service' })
    await answers()
  })

  it('does nothing when the number of attempts is not known', async () => {
    await killApp()
    writeFileSync(attemptsFileOf(at.host.paths), '[]')
    expect(app(await guard())).toMatchObject({ status: 'FAIL', remedy: 'repair_state_folder' })
    expect(await at.message()).toBeNull()
  })

  it('fails, and counts the attempt, when the service does not come back', async () => {
    const program = join(readRecord(at.host.paths, 'app')?.release ?? '', 'server.mjs')
    renameSync(program, `${program}.away`)
    await killApp()
    const result = await guard()
    renameSync(`${program}.away`, program)
    expect([result.overall, app(result)]).toMatchObject([
      'FAIL',
      { status: 'FAIL', remedy: 'deploy_again' },
    ])
    expect(lastLine()).toMatchObject({
      restarted: [],
      remediations: [
        {
          target: 'app',
          outcome: 'failed',
          reason: expect.stringContaining('is not healthy') as string,
        },
      ],
    })
    expect(JSON.parse(readFileSync(attemptsFileOf(at.host.paths), 'utf8'))).toMatchObject({
      attempts: [{ remediation: 'restart_service', target: 'app' }],
    })
  })
})

describe('the log of guard', () => {
  it('is rotated by its size, and its last lines come from both files', async () => {
    forget()
    const old = {
      time: new Date().toISOString(),
      run_id: '20261122T121000Z-bbbbbbbb',
      overall: 'PASS',
      restarted: ['app'],
      observed_only: false,
      failed: [],
    }
    writeFileSync(
      guardLogFile(at.host.paths),
      `${'x'.repeat(5 * 1024 * 1024)}\n${JSON.stringify(old)}\n`,
    )
    const { run_id } = await guard()
    expect(readFileSync(guardLogFile(at.host.paths), 'utf8').trim().split('\n')).toHaveLength(1)
    const { out } = await hq(at.host, ['guard-log', '--lines', '2', '--json'], {
      OPENCLAW_HOSTD_URL: at.hostd.url,
    })
    const document = JSON.parse(out) as {
      run_id: string
      overall: string
      passes: GuardLine[]
      unreadable: number
    }
    expect(document).toMatchObject({
      overall: 'PASS',
      passes: [
        { run_id: old.run_id, restarted: ['app'] },
        { run_id, overall: 'PASS' },
      ],
      unreadable: 0,
    })
    const log = readFileSync(join(at.host.paths.runs, document.run_id, 'log.ndjson'), 'utf8')
    expect(log).toContain('started again: app')
    rmSync(`${guardLogFile(at.host.paths)}.1`)
  })
})

describe('a hung hostd', () => {
  it('does not block a command: the runner is started directly', async () => {
    process.kill(at.hostd.pid, 'SIGSTOP')
    try {
      const { code, out, err } = await hq(at.host, ['guard', '--json'], {
        OPENCLAW_HOSTD_URL: at.hostd.url,
      })
      const result = checksResult.parse(JSON.parse(out))
      expect([code, err, result.overall]).toEqual([0, '', 'PASS'])
      expect(readRunResult(at.host.paths, result.run_id)).toMatchObject({
        run_id: result.run_id,
        overall: 'PASS',
      })
    } finally {
      process.kill(at.hostd.pid, 'SIGCONT')
    }
  })
})

describe('a deploy of the commit that runs', () => {
  it('replaces a service that hangs, and leaves a healthy one as it is', async () => {
    const [hung, console] = [pidOf(), readRecord(at.host.paths, 'openclaw-console')?.pid]
    process.kill(hung, 'SIGSTOP')
    const { result } = await at.deploy()
    expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
    expect([
      pidOf() === hung,
      identify(hung),
      readRecord(at.host.paths, 'openclaw-console')?.pid,
    ]).toEqual([false, null, console])
    await answers()
  })
})
