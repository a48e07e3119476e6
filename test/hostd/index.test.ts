import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeJson } from '#ops/base/files/json-file'
import { bootId } from '#ops/base/process/process-tree'
import { actionOf, isActionId } from '#shared/actions'
import { statusReply } from '#shared/api'
import { isEnded } from '#shared/run'
import { hq, startHostd, testHost, until, type TestHost, type TestHostd } from '../support/hostd.ts'

let host: TestHost
let hostd: TestHostd | null = null

beforeEach(() => {
  host = testHost()
})
afterEach(async () => {
  await hostd?.kill()
  hostd = null
  await host.remove()
})

const idOf = (n: number): string => {
  const two = (part: number): string => String(Math.floor(part)).padStart(2, '0')
  const time = [n / 3600, (n / 60) % 60, n % 60].map(two)
  return `20260101T${time.join('')}Z-${n.toString(16).padStart(8, '0')}`
}
const time = '2026-01-01T00:00:00.000Z'

/** A run folder as a runner that no longer lives left it. */
function writeRun(
  n: number,
  {
    action = 'guard',
    ended = 'PASS',
    errorClass = null,
    boot = bootId(),
  }: { action?: string; ended?: string; errorClass?: string | null; boot?: string } = {},
): string {
  const run_id = idOf(n)
  const dir = join(host.paths.runs, run_id)
  mkdirSync(dir, { recursive: true })
  const record = {
    schema_version: 1,
    run_id,
    action,
    lane: isActionId(action) ? actionOf(action).lane : action,
    params: {},
    actor: 'local',
    deploy_run_id: null,
    requested_at: time,
    started_at: time,
    unit: null,
    pid: 999_999,
    pgid: 999_999,
    start_time: '1',
    boot_id: boot,
  }
  // The result first, as no runner does: hostd must never see this run without its end.
  if (ended !== '')
    writeFileSync(
      join(dir, 'result.json'),
      JSON.stringify({
        schema_version: 1,
        run_id,
        overall: ended,
        step_failed: null,
        error_class: errorClass,
        next_auto_fix: null,
        git_head: null,
        git_tree: null,
        started_at: time,
        finished_at: time,
        steps: [],
        artifacts: {},
      }),
    )
  writeFileSync(join(dir, 'run.json'), JSON.stringify(record))
  return run_id
}

describe('the index of runs', () => {
  it('is built from the run folders, pages newest first and filters by action and status', async () => {
    for (let n = 0; n < 25; n += 1)
      writeRun(
        n,
        n % 5 === 0 ? { action: 'doctor', ended: 'FAIL', errorClass: 'doctor_failed' } : {},
      )
    hostd = await startHostd(host)
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const page = await hostd.client.runs({ limit: '10', ...(cursor === '' ? {} : { cursor }) })
      seen.push(...page.runs.map(({ run_id }) => run_id))
      cursor = page.next_cursor
    }
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => idOf(24 - n)))
    expect(
      (await hostd.client.runs({ action: 'doctor' })).runs.map(({ run_id }) => run_id),
    ).toEqual([20, 15, 10, 5, 0].map(idOf))
    expect(
      (await hostd.client.runs({ status: 'failed', limit: '2' })).runs.map(
        ({ error_class }) => error_class,
      ),
    ).toEqual(['doctor_failed', 'doctor_failed'])
    expect((await hostd.client.runs({ status: 'failed', action: 'guard' })).runs).toEqual([])
  })

  it('lists rollbacks among the recent deploys, in their order', async () => {
    const order = ['deploy_and_verify', 'rollback', 'doctor', 'deploy_and_verify', 'rollback']
    for (const [n, action] of order.entries()) writeRun(n, { action })
    hostd = await startHostd(host)
    const { recent_deploys } = statusReply.parse((await hostd.request('/api/status')).body)
    expect(recent_deploys.map(({ run_id }) => run_id)).toEqual([4, 3, 1, 0].map(idOf))
  })

  it('is dropped and built again when it is damaged, or of another version', async () => {
    const damage: (() => void)[] = [
      () => writeFileSync(host.paths.index, 'this is no database'),
      () => {
        const db = new DatabaseSync(host.paths.index)
        db.exec('PRAGMA user_version = 99')
        db.close()
      },
      () => {
        const db = new DatabaseSync(host.paths.index)
        db.exec('DROP TABLE runs; CREATE TABLE runs (x TEXT)')
        db.close()
      },
      () => {
        const bytes = readFileSync(host.paths.index)
        bytes.fill(0xff, 4096, 8192)
        writeFileSync(host.paths.index, bytes)
      },
    ]
    const id = writeRun(1)
    hostd = await startHostd(host)
    for (const make of damage) {
      await hostd.stop()
      for (const suffix of ['-wal', '-shm']) rmSync(`${host.paths.index}${suffix}`, { force: true })
      make()
      hostd = await startHostd(host)
      expect(
        (await hostd.client.runs()).runs.map(({ run_id, status }) => [run_id, status]),
      ).toEqual([[id, 'passed']])
      expect(hostd.said()).toContain('index_dropped')
    }
  })

  it('is rebuilt when it holds a value unknown to this hostd, and names each unreadable folder once', async () => {
    writeRun(1)
    const other = writeRun(2)
    hostd = await startHostd(host)
    await hostd.stop()
    const db = new DatabaseSync(host.paths.index)
    db.prepare("UPDATE runs SET action = 'of_another_release' WHERE run_id = ?").run(idOf(1))
    db.close()
    const record = join(host.paths.runs, other, 'run.json')
    writeFileSync(
      record,
      readFileSync(record, 'utf8').replaceAll('"guard"', '"of_another_release"'),
    )
    hostd = await startHostd(host)
    const said = (): string => hostd?.said() ?? ''
    expect((await hostd.client.runs()).runs).toMatchObject([
      { run_id: idOf(1), action: 'guard', status: 'passed' },
    ])
    const third = writeRun(3)
    await until('two more looks at the folders', async () =>
      (await hostd?.client.runs())?.runs.some(({ run_id }) => run_id === third),
    )
    expect(said().match(/run_folder_unreadable/g)).toHaveLength(1)
  })

  it('closes what was running before a reboot as interrupted, and what lost its runner as runner_lost', async () => {
    const before = writeRun(1, {
      action: 'guard',
      ended: '',
      boot: '00000000-0000-0000-0000-000000000000',
    })
    const lost = writeRun(2, { action: 'doctor', ended: '' })
    const damaged = writeRun(3, { action: 'dod', ended: '' })
    writeFileSync(join(host.paths.runs, damaged, 'result.json'), '{"overall":"PASS"')
    hostd = await startHostd(host)
    const { client } = hostd
    const status = async (id: string) =>
      await until('the end', async () => {
        const run = await client.run(id)
        return run.finished_at === null ? null : [run.status, run.error_class]
      })
    expect(await status(before)).toEqual(['interrupted', 'interrupted'])
    expect(await status(lost)).toEqual(['runner_lost', 'runner_lost'])
    expect(await status(damaged)).toEqual(['failed', 'action_no_result'])
    expect((await client.runs()).runs).toHaveLength(3)
  })

  it('adds a run that was started beside a serving hostd', async () => {
    hostd = await startHostd(host)
    const id = writeRun(7)
    const { client } = hostd
    expect(
      await until('the run to be adopted', async () =>
        (await client.runs()).runs.find(({ run_id }) => run_id === id),
      ),
    ).toMatchObject({ status: 'passed' })
  })

  it('is dropped by hq reindex while hostd is down, and not while it serves', async () => {
    writeRun(1)
    hostd = await startHostd(host)
    const refused = await hq(host, ['reindex'])
    expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('hostd is running')])
    await hostd.stop()
    const done = await hq(host, ['reindex', '--json'])
    expect([done.code, JSON.parse(done.out)]).toEqual([
      0,
      { ok: true, dropped: host.paths.index, run_folders: 1 },
    ])
    expect(() => readFileSync(host.paths.index)).toThrow('ENOENT')
    hostd = await startHostd(host)
    expect((await hostd.client.runs()).runs).toHaveLength(1)
  })

  it('answers the first page of 1,000 runs after a rebuild', async () => {
    for (let n = 0; n < 1000; n += 1) writeRun(n)
    hostd = await startHostd(host)
    const page = await hostd.client.runs({ limit: '200' })
    expect([page.runs.length, page.runs[0]?.run_id, page.next_cursor]).toEqual([
      200,
      idOf(999),
      idOf(800),
    ])
  })
})

describe('maintenance mode at hostd', () => {
  const deploy = idOf(1)
  const exec = async (action: string, headers: Record<string, string> = {}) => {
    const { status, body } = await (hostd as TestHostd).request('/api/exec', {
      method: 'POST',
      body: { action },
      headers,
    })
    return [status, body['error_class']]
  }

  it('U8 lets in what the maintenance that is on allows, and counts an unreadable file as on', async () => {
    hostd = await startHostd(host)
    writeJson(host.paths.maintenance, {
      schema_version: 1,
      deploy_run_id: deploy,
      reason: 'deploy',
      since: time,
    })
    expect(await exec('dod')).toEqual([503, 'MAINTENANCE_MODE'])
    expect(await exec('dod', { 'x-openclaw-dod-run': idOf(2) })).toEqual([503, 'MAINTENANCE_MODE'])
    expect(await exec('doctor', { 'x-openclaw-dod-run': 'x' })).toEqual([400, 'invalid_request'])
    expect(await exec('doctor', { 'x-openclaw-dod-run': deploy })).toEqual([202, undefined])
    expect((await hostd.client.runs({ action: 'doctor' })).runs[0]).toMatchObject({
      deploy_run_id: deploy,
    })
    // Nothing runs in it, and a person wants to know how the host is.
    await until('that doctor to end', async () =>
      (await (hostd as TestHostd).client.runs({ action: 'doctor' })).runs.every(({ status }) =>
        isEnded(status),
      ),
    )
    expect(await exec('doctor')).toEqual([202, undefined])
    writeFileSync(host.paths.maintenance, 'not json')
    expect(await exec('verify_production')).toEqual([503, 'MAINTENANCE_MODE'])
    expect((await hostd.request('/api/maintenance')).body).toMatchObject({
      maintenance: { on: true, unreadable: expect.stringContaining('not JSON'), file: null },
    })
  })

  it('counts as on, and hostd goes on answering, whatever lies where its file should', async () => {
    hostd = await startHostd(host)
    const { maintenance } = host.paths
    const put: Record<string, () => void> = {
      fifo: () => execFileSync('mkfifo', [maintenance]),
      folder: () => mkdirSync(maintenance),
      'link that leads nowhere': () => symlinkSync('/nonexistent', maintenance),
      'link to a device without end': () => symlinkSync('/dev/zero', maintenance),
      'file larger than memory allows': () => {
        writeFileSync(maintenance, '')
        truncateSync(maintenance, 2 ** 30)
      },
    }
    for (const [what, make] of Object.entries(put)) {
      make()
      expect([what, await exec('verify_production')]).toEqual([what, [503, 'MAINTENANCE_MODE']])
      rmSync(maintenance, { recursive: true })
    }
  })

  it('is set and ended through the API, keeping the name of a deploy that left it on', async () => {
    hostd = await startHostd(host)
    const send: TestHostd['request'] = async (path, init) =>
      await (hostd as TestHostd).request(path, init)
    expect(
      (await send('/api/maintenance', { method: 'PUT', body: { reason: 'new disk' } })).body,
    ).toMatchObject({
      ok: true,
      maintenance: { on: true, file: { reason: 'new disk', deploy_run_id: null } },
    })
    expect((await send('/api/maintenance', { method: 'PUT', body: { reason: '' } })).status).toBe(
      400,
    )
    expect((await send('/api/maintenance', { method: 'DELETE' })).body).toMatchObject({
      ok: true,
      maintenance: { on: false, file: null },
    })
    writeJson(host.paths.maintenance, {
      schema_version: 1,
      deploy_run_id: deploy,
      reason: 'deploy failed',
      since: time,
    })
    expect(
      (await send('/api/maintenance', { method: 'PUT', body: { reason: 'mine' } })).body,
    ).toMatchObject({ maintenance: { file: { deploy_run_id: deploy } } })
  })
})
