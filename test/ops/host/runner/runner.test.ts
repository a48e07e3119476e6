import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseRunEvent } from '#shared/events'
import { newRunId } from '#shared/ids'
import type { ResultDocument } from '#shared/result'
import { hostPathsEnv } from '#ops/base/paths/paths'
import { members } from '#ops/base/process/process-tree'
import { runMarker } from '#ops/host/runner/run-processes'
import { hq, scriptedInstall, testHost, until, type TestHost } from '../../../support/hostd.ts'

const scripts = {
  doctor: "import { finish } from './kit.mjs'; finish('PASS')",
  guard:
    "import { log, gate, finish } from './kit.mjs'; log('up'); await gate('guard'); finish('PASS')",
  'port-audit': "import { finish } from './kit.mjs'; finish('PASS', {}, 1)",
  verify:
    "import { finish } from './kit.mjs'; finish('PASS', { run_id: '20260101T000000Z-00000000' })",
  dod:
    "import { emit, document } from './kit.mjs'; " +
    "emit({ type: 'run_finished', result: { ...document('PASS'), overall: 'YES' } })",
  'green-check':
    "import { log, finish } from './kit.mjs'; for (let n = 0; n < 100000; n += 1) log('y'.repeat(500)); finish('PASS')",
  'guard-log':
    "import { spawn } from 'node:child_process'; spawn('sh', ['-c', 'trap \"\" TERM; while :; " +
    "do sleep 0.2; done']); console.log('busy'); setInterval(() => undefined, 1000)",
  deploy: `import { spawn } from 'node:child_process'; import { finish, log } from './kit.mjs'
    log(Object.keys(process.env).toSorted().join(' '))
    const { OPENCLAW_RUN_ID, ...env } = process.env
    const service = spawn('sleep', ['300'], { detached: true, stdio: 'ignore', env }); service.unref()
    const stray = spawn('sleep', ['301'], { detached: true, stdio: 'inherit' }); stray.unref()
    log('service ' + service.pid); finish('PASS')`,
}

let dir: string
let host: TestHost
let open: (gate: string) => void
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'openclaw-scripted-'))
  const scripted = scriptedInstall(dir, scripts)
  open = (gate) => scripted.open(gate)
  host = testHost({ install: scripted.install })
})
afterEach(async () => {
  await host.remove()
  rmSync(dir, { recursive: true, force: true })
})

const request = (action: string, fields: Record<string, unknown> = {}) => ({
  op: 'start',
  run_id: newRunId(),
  action,
  params: {},
  actor: 'local',
  deploy_run_id: null,
  requested_at: new Date().toISOString(),
  ...fields,
})
/** `hq runner` as the launcher starts it: the marker in its environment, a session of its own is not needed here. */
const runner = async (line: unknown, env: Record<string, string> = {}) =>
  await hq(host, ['runner'], env, `${typeof line === 'string' ? line : JSON.stringify(line)}\n`)
const start = async (asked: ReturnType<typeof request>) =>
  await runner(asked, { OPENCLAW_RUN_ID: asked.run_id })
const resultOf = (id: string) =>
  JSON.parse(readFileSync(join(host.paths.runs, id, 'result.json'), 'utf8')) as ResultDocument
const logOf = (id: string) =>
  readFileSync(join(host.paths.runs, id, 'log.ndjson'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => parseRunEvent(JSON.parse(line)))
const textsOf = (id: string) =>
  logOf(id).flatMap((event) => (event.type === 'log' ? [event.text] : []))
const isUp = async (id: string) =>
  await until('the action', () => {
    const file = join(host.paths.runs, id, 'log.ndjson')
    return existsSync(file) && readFileSync(file, 'utf8').includes('"up"')
  })

describe('one run', () => {
  it('ends PASS when the action says so and exits 0, with record, numbered log and result', async () => {
    const asked = request('doctor')
    expect((await start(asked)).code).toBe(0)
    expect(resultOf(asked.run_id)).toMatchObject({ overall: 'PASS', run_id: asked.run_id })
    expect(readdirSync(join(host.paths.runs, asked.run_id)).toSorted()).toEqual([
      'log.ndjson',
      'result.json',
      'run.json',
    ])
    expect(logOf(asked.run_id).map(({ seq, type }) => [seq, type])).toEqual([[1, 'run_finished']])
  })

  it.each([
    ['port_audit', 'says PASS and ended with exit code 1'],
    ['verify_production', 'the result of another run'],
    ['dod', 'no result document'],
  ])('is not PASS when %s gives a document that cannot be trusted', async (action, why) => {
    const asked = request(action)
    expect((await start(asked)).code).toBe(1)
    expect(resultOf(asked.run_id)).toMatchObject({
      overall: 'FAIL',
      error_class: 'action_no_result',
      detail: expect.stringContaining(why),
    })
  })

  it('gives its action an empty environment, ends its leftovers, and spares a service in its own session', async () => {
    const asked = request('deploy_and_verify', { deploy_run_id: '20260101T000000Z-00000000' })
    const { code } = await runner(asked, {
      OPENCLAW_RUN_ID: asked.run_id,
      SECRET_CANARY: 'x',
      OPENCLAW_ADMIN_TOKEN: host.token,
    })
    expect(code).toBe(0)
    const [names, service] = textsOf(asked.run_id)
    const allowed = [
      'PATH',
      'HOME',
      'LANG',
      'NODE_COMPILE_CACHE',
      ...Object.keys(hostPathsEnv(host.paths)),
      ...['HQ_INSTALL', 'HOSTD_URL', 'HOSTD_PORT', 'RUN_ID', 'DEPLOY_RUN_ID', 'EVENTS_FD'].map(
        (name) => `OPENCLAW_${name}`,
      ),
    ]
    expect(names?.split(' ').toSorted()).toEqual(allowed.toSorted())
    expect(host.processes()).toEqual([Number(service?.split(' ')[1])])
  })

  it('is refused before anything is written when the request is not allowed', async () => {
    const refused = [
      request('rm'),
      request('doctor', { params: { argv: ['x'] } }),
      request('tail_guard_log', { params: { lines: '1; rm' } }),
      request('doctor', { run_id: '../../x' }),
      request('doctor', { extra: 1 }),
      'not json',
      `${JSON.stringify(request('doctor'))}\nmore`,
    ]
    for (const each of refused) {
      const { code, err } = await runner(each)
      expect([each, code, err]).toEqual([each, 1, expect.stringContaining('invalid_request')])
    }
    expect(existsSync(host.paths.runs)).toBe(false)
  })

  it('is started once: a second runner of the same run leaves it alone', async () => {
    const asked = request('doctor')
    await start(asked)
    const before = readFileSync(join(host.paths.runs, asked.run_id, 'result.json'), 'utf8')
    expect(await start(asked)).toMatchObject({
      code: 1,
      err: expect.stringContaining('runner_start_failed'),
    })
    expect(readFileSync(join(host.paths.runs, asked.run_id, 'result.json'), 'utf8')).toBe(before)
  })

  it('fails lane_busy beside another run of its lane and names that one', async () => {
    const first = request('guard')
    const running = start(first)
    await isUp(first.run_id)
    const second = request('guard')
    await start(second)
    expect(resultOf(second.run_id)).toMatchObject({
      error_class: 'lane_busy',
      detail: expect.stringContaining(first.run_id),
    })
    open('guard')
    expect((await running).code).toBe(0)
  })

  it('ends at its time limit with its whole tree', async () => {
    const asked = request('tail_guard_log')
    expect((await start(asked)).code).toBe(1)
    expect(resultOf(asked.run_id)).toMatchObject({ overall: 'FAIL', error_class: 'step_timeout' })
    expect(members({ marker: runMarker(asked.run_id) })).toEqual([])
  })

  it('ends cancelled on SIGTERM', async () => {
    const asked = request('guard')
    const running = start(asked)
    await isUp(asked.run_id)
    const reply = await runner({ op: 'cancel', run_id: asked.run_id, actor: 'local' })
    expect(JSON.parse(reply.out)).toEqual({ ok: true, detail: 'The run was cancelled.' })
    expect((await running).code).toBe(1)
    expect(resultOf(asked.run_id)).toMatchObject({ error_class: 'cancelled' })
    expect(logOf(asked.run_id).at(-1)).toMatchObject({
      type: 'run_finished',
      result: { error_class: 'cancelled' },
    })
    expect(
      JSON.parse((await runner({ op: 'cancel', run_id: asked.run_id, actor: 'local' })).out),
    ).toMatchObject({ ok: false, error_class: 'not_running' })
  })

  it('is killed when its runner does not obey a cancel, and still has a result', async () => {
    const asked = request('guard')
    const running = start(asked)
    const file = join(host.paths.runs, asked.run_id, 'run.json')
    await isUp(asked.run_id)
    process.kill((JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid, 'SIGSTOP')
    const reply = await runner({ op: 'cancel', run_id: asked.run_id, actor: 'local' })
    expect(JSON.parse(reply.out)).toMatchObject({
      ok: true,
      detail: expect.stringContaining('killed'),
    })
    await running
    expect(resultOf(asked.run_id)).toMatchObject({ overall: 'FAIL', error_class: 'cancelled' })
    expect(members({ marker: runMarker(asked.run_id) })).toEqual([])
  })

  it.skipIf(process.platform !== 'linux' || process.getuid?.() !== 0)(
    'ends disk_full when its log fills the disk, and still has a result and a log of whole lines',
    async () => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', host.paths.artifacts])
      try {
        const asked = request('green_check')
        expect((await start(asked)).code).toBe(1)
        expect(resultOf(asked.run_id)).toMatchObject({
          overall: 'FAIL',
          error_class: 'disk_full',
          next_auto_fix: 'free_disk',
        })
        const events = logOf(asked.run_id)
        expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
        expect(events.at(-1)).toMatchObject({
          type: 'run_finished',
          result: { error_class: 'disk_full' },
        })
      } finally {
        execFileSync('umount', [host.paths.artifacts])
      }
    },
  )
})

describe('a command typed on the host while hostd is down', () => {
  it('runs under the same runner and locks, and prints the result document alone', async () => {
    const script = join(dir, 'typed.ts')
    writeFileSync(
      script,
      'const { runThroughHostd } = await ' +
        `import(${JSON.stringify(join(process.cwd(), 'ops/host/hostd-client/index.ts'))}); ` +
        `process.exitCode = await runThroughHostd('doctor', {}, { json: true })\n`,
    )
    const out = execFileSync(join(process.cwd(), 'node_modules/.bin/node'), [script], {
      env: { ...host.env, OPENCLAW_HOSTD_PORT: '1' },
      encoding: 'utf8',
    })
    const result = JSON.parse(out) as ResultDocument
    expect(result).toMatchObject({ overall: 'PASS' })
    expect(resultOf(result.run_id)).toEqual(result)
  })
})
