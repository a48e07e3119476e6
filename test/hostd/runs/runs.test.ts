import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseRunEvent } from '#shared/events'
import { members } from '#ops/base/process/process-tree'
import { runMarker } from '#ops/host/runner/run-processes'
import { runLogFile } from '#ops/host/runner/run-files'
import {
  allFiles,
  hq,
  scriptedInstall,
  startHostd,
  testHost,
  until,
  type TestHost,
  type TestHostd,
} from '../../support/hostd.ts'

const scripts = {
  doctor:
    "import { gate, log, finish } from './kit.mjs'; log('looking'); await gate('doctor'); " +
    "finish('PASS', { answer: 42 })",
  // A tree: a child in the group and one in a session of its own, both deaf to SIGTERM.
  guard: `import { spawn } from 'node:child_process'; import { log, gate } from './kit.mjs'
    const deaf = ['-c', 'trap "" TERM; while :; do sleep 0.2; done']
    for (const [program, ...rest] of [['sh'], ['setsid', 'sh']]) spawn(program, [...rest, ...deaf], { stdio: 'ignore' })
    log('tree is up'); await gate('never')`,
  'port-audit':
    "import { finish } from './kit.mjs'; " +
    "finish('FAIL', { error_class: 'doctor_failed', next_auto_fix: 'follow_doctor', step_failed: 'tcp' })",
  'green-check':
    "import { gate, finish } from './kit.mjs'; await gate('green'); " +
    "finish('FAIL', { error_class: 'green_check_failed', next_auto_fix: 'deploy_again' })",
  verify: "console.log('out line'); console.error('err line')",
  deploy:
    "import { log, gate, finish } from './kit.mjs'; for (let n = 1; n <= 200; " +
    "n += 1) log('before ' + n); await gate('deploy'); for (let n = 1; n <= 200; " +
    "n += 1) log('after ' + n); finish('PASS')",
}

let dir: string
let host: TestHost
let hostd: TestHostd
let open: (gate: string) => void

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'openclaw-scripted-'))
  const scripted = scriptedInstall(dir, scripts)
  open = (gate) => scripted.open(gate)
  host = testHost({ install: scripted.install })
  hostd = await startHostd(host)
})
afterEach(async () => {
  await hostd.kill()
  await host.remove()
  rmSync(dir, { recursive: true, force: true })
})

const exec = async (action: string, headers = {}) =>
  await hostd.request('/api/exec', { method: 'POST', body: { action }, headers })
const start = async (action: string): Promise<string> => {
  const { status, body } = await exec(action)
  expect(status).toBe(202)
  return String(body['run_id'])
}
const ended = async (id: string) =>
  await until(`${id} to end`, async () => {
    const run = await hostd.client.run(id)
    return run.finished_at === null ? null : run
  })
const logOf = (id: string) =>
  readFileSync(runLogFile(host.paths, id), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => parseRunEvent(JSON.parse(line)))
const hasLog = async (id: string, text: string) =>
  await until(text, async () => {
    try {
      return readFileSync(runLogFile(host.paths, id), 'utf8').includes(text)
    } catch {
      return false
    }
  })

describe('runs of hostd', () => {
  it('admits one of 50 simultaneous doctors; the others join it and all see the same result', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, async () => await exec('doctor')))
    const admitted = answers.filter(({ status }) => status === 202)
    const joiners = answers.filter(({ status }) => status === 409)
    expect([admitted.length, joiners.length]).toEqual([1, 49])
    const id = admitted[0]?.body['run_id']
    for (const { body } of joiners)
      expect(body).toMatchObject({
        ok: false,
        error_class: 'ALREADY_RUNNING',
        action: 'doctor',
        active_run_id: id,
        started_at: expect.stringMatching(/Z$/),
      })
    const following: string[] = []
    const follows = [1, 2, 3].map(
      async () =>
        await hostd.client.startOrJoin('doctor', {}, { onRun: (run) => following.push(run) }),
    )
    await until('three to have joined', () => following.length === 3)
    open('doctor')
    for (const { run, joined } of await Promise.all(follows))
      expect([joined, run.run_id, run.status, run.result?.['answer']]).toEqual([
        true,
        id,
        'passed',
        42,
      ])
  })

  it('shows a run from its first instant and closes it with the result of its action', async () => {
    const id = await start('port_audit')
    expect((await hostd.client.run(id)).run_id).toBe(id)
    expect(await ended(id)).toMatchObject({
      status: 'failed',
      error_class: 'doctor_failed',
      step_failed: 'tcp',
      result: { overall: 'FAIL', run_id: id },
    })
    expect(logOf(id).at(-1)).toMatchObject({
      type: 'run_finished',
      result: { error_class: 'doctor_failed' },
    })
  })

  it('lets a joiner post once more, and only once, when the run it joined failed', async () => {
    const first = await start('green_check')
    const seen: [string, boolean][] = []
    const both = hostd.client.startOrJoin(
      'green_check',
      {},
      { onRun: (...started) => seen.push(started) },
    )
    await until('it to have joined', () => seen.length === 1)
    open('green')
    const { run, joined } = await both
    expect(seen).toEqual([
      [first, true],
      [run.run_id, false],
    ])
    expect([joined, run.status]).toEqual([false, 'failed'])
    expect((await hostd.client.runs({ action: 'green_check' })).runs).toHaveLength(2)
  })

  it('is listed and followed by hq runs, with the exit code of the run', async () => {
    const id = await start('port_audit')
    const env = { OPENCLAW_HOSTD_URL: hostd.url }
    const followed = await hq(host, ['runs', '--follow', id, '--json'], env)
    expect([followed.code, JSON.parse(followed.out)]).toEqual([
      1,
      expect.objectContaining({ run_id: id, error_class: 'doctor_failed' }),
    ])
    const list = await hq(host, ['runs'], env)
    expect([list.code, list.out]).toEqual([
      0,
      expect.stringMatching(new RegExp(`^${id}  port_audit +failed .* doctor_failed\n$`)),
    ])
    expect(await hq(host, ['runs'], { ...env, OPENCLAW_ADMIN_TOKEN: 'wrong' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('forbidden'),
    })
  })

  it('fails a run whose action gives no result document, and keeps its output', async () => {
    const id = await start('verify_production')
    expect(await ended(id)).toMatchObject({ status: 'failed', error_class: 'action_no_result' })
    expect(
      logOf(id)
        .filter((event) => event.type === 'log')
        .map((event) => `${event.stream}: ${event.text}`),
    ).toEqual(expect.arrayContaining(['stdout: out line', 'stderr: err line']))
  })

  it('ends the whole tree on cancel, also what left the group and ignores SIGTERM', async () => {
    const id = await start('guard')
    await hasLog(id, 'tree is up')
    await until('the whole tree', () => members({ marker: runMarker(id) }).length >= 4)
    const { status, body } = await hostd.request(`/api/runs/${id}/cancel`, { method: 'POST' })
    expect([status, body['status']]).toEqual([200, 'cancelled'])
    expect(members({ marker: runMarker(id) })).toEqual([])
    expect(await ended(id)).toMatchObject({
      status: 'cancelled',
      result: { overall: 'FAIL', error_class: 'cancelled' },
    })
    expect((await hostd.request(`/api/runs/${id}/cancel`, { method: 'POST' })).body).toMatchObject({
      error_class: 'not_running',
    })
    await start('guard')
  })

  it('closes a run whose runner was killed as runner_lost, with no process left and its lane free', async () => {
    const id = await start('guard')
    await hasLog(id, 'tree is up')
    const { pid } = JSON.parse(readFileSync(join(host.paths.runs, id, 'run.json'), 'utf8')) as {
      pid: number
    }
    process.kill(pid, 'SIGKILL')
    expect(await ended(id)).toMatchObject({
      status: 'runner_lost',
      error_class: 'runner_lost',
      result: null,
    })
    expect(members({ marker: runMarker(id) })).toEqual([])
    await start('guard')
  })

  it('closes a run whose record is damaged once its runner is gone, and frees its lane', async () => {
    const id = await start('guard')
    await hasLog(id, 'tree is up')
    await until(
      'the run to show as running',
      async () => (await hostd.client.run(id)).status === 'running',
    )
    const file = join(host.paths.runs, id, 'run.json')
    const { pid } = JSON.parse(readFileSync(file, 'utf8')) as { pid: number }
    writeFileSync(file, '{')
    await until('hostd to notice', () => hostd.said().includes('record_unreadable'))
    expect((await hostd.client.run(id)).status).toBe('running') // its runner lives
    process.kill(pid, 'SIGKILL')
    expect(await ended(id)).toMatchObject({ status: 'runner_lost', error_class: 'runner_lost' })
    expect(members({ marker: runMarker(id) })).toEqual([])
    expect(hostd.said().match(/record_unreadable/g)).toHaveLength(1)
    await start('guard')
  })

  it('keeps a run alive through kill -9 of hostd and has its full log afterwards', async () => {
    const id = await start('deploy_and_verify')
    await hasLog(id, 'before 200')
    await hostd.kill()
    open('deploy')
    hostd = await startHostd(host, { port: hostd.port })
    expect(await ended(id)).toMatchObject({ status: 'passed' })
    const texts = logOf(id).flatMap((event) => (event.type === 'log' ? [event.text] : []))
    expect(texts).toEqual([
      ...Array.from({ length: 200 }, (_, n) => `before ${n + 1}`),
      ...Array.from({ length: 200 }, (_, n) => `after ${n + 1}`),
    ])
  })

  it('closes a run that lost its runner while hostd was down', async () => {
    const id = await start('guard')
    await hasLog(id, 'tree is up')
    await hostd.kill()
    process.kill(
      (JSON.parse(readFileSync(join(host.paths.runs, id, 'run.json'), 'utf8')) as { pid: number })
        .pid,
      'SIGKILL',
    )
    hostd = await startHostd(host)
    expect(await ended(id)).toMatchObject({ status: 'runner_lost' })
    expect(members({ marker: runMarker(id) })).toEqual([])
  })

  it('keeps the admin token out of every environment, argument, log and artifact of a run', async () => {
    await hostd.kill()
    hostd = await startHostd(host, { env: { OPENCLAW_ADMIN_TOKEN: host.token } })
    const id = await start('guard')
    await hasLog(id, 'tree is up')
    // Runner, action and the two shells stay; a shell's `sleep` may be gone before it is read.
    const read = (pid: number): string | null => {
      try {
        return ['environ', 'cmdline']
          .map((part) => readFileSync(`/proc/${pid}/${part}`, 'latin1'))
          .join()
      } catch {
        return null
      }
    }
    const seen = await until('the whole tree', () => {
      const texts = members({ marker: runMarker(id) })
        .map(read)
        .filter((text) => text !== null)
      return texts.length >= 4 ? texts : null
    })
    for (const text of seen) {
      expect(text).toContain(runMarker(id))
      expect(text).not.toContain(host.token)
    }
    await hostd.client.cancel(id)
    const files = [...allFiles(host.paths.artifacts), ...allFiles(host.paths.state)]
    expect(files.length).toBeGreaterThan(3)
    expect(files.filter(({ text }) => text.includes(host.token)).map(({ path }) => path)).toEqual(
      [],
    )
    expect(hostd.said()).not.toContain(host.token)
  })
})
