import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  hq,
  scriptedInstall,
  startHostd,
  testHost,
  until,
  type TestHost,
  type TestHostd,
} from '../support/hostd.ts'

// Case G1: a caller once took the PASS of another action's run as its own.

const passes = "import { gate, finish } from './kit.mjs'; await gate('open'); finish('PASS')"
let dir: string
let host: TestHost
let hostd: TestHostd
let open: () => void

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'openclaw-joins-'))
  const scripted = scriptedInstall(dir, { deploy: passes, rollback: passes, 'guard-log': passes })
  open = () => scripted.open('open')
  host = testHost({ install: scripted.install })
  hostd = await startHostd(host)
})
afterEach(async () => {
  await hostd.kill()
  await host.remove()
  rmSync(dir, { recursive: true, force: true })
})

const key = 'a'.repeat(32)
const commit = 'b'.repeat(40)
const start = async (action: string, params = {}): Promise<string> => {
  const { status, body } = await hostd.request('/api/exec', {
    method: 'POST',
    body: { action, params },
  })
  expect(status).toBe(202)
  return String(body['run_id'])
}
const hqHere = async (...args: string[]) => await hq(host, args, { OPENCLAW_HOSTD_URL: hostd.url })

describe('G1 a busy lane', () => {
  it.each([
    ['rollback', ['rollback'], 'Roll back was not started'],
    ['rollback to a commit', ['rollback', '--to', commit], 'Roll back was not started'],
    ['trust-key --remove', ['trust-key', '--remove', key], 'Revoke a ship key was not started'],
    ['maintenance off', ['maintenance', 'off'], 'End maintenance was not started'],
    [
      'deploy with other parameters',
      ['deploy', '--unpin'],
      'with other parameters: {}. Nothing was started',
    ],
  ])(
    'refuses hq %s while a deploy runs, and names that run, its actor and its start',
    async (_what, args, says) => {
      const id = await start('deploy_and_verify')
      const since = await until(
        'the deploy to run',
        async () => (await hostd.client.run(id)).started_at,
      )
      const { code, out, err } = await hqHere(...args)
      expect([code, out]).toEqual([1, ''])
      expect(err).toContain(`lane_busy: Deploy+Verify (${id}) is running, started by `)
      expect(err).toContain(` at ${since}`)
      expect(err).toContain(says)
      expect(err).not.toContain('Joined')
      expect((await hostd.client.runs()).runs.map(({ run_id }) => run_id)).toEqual([id])
    },
  )

  it.each([
    ['deploy_and_verify', {}, ['deploy']],
    ['deploy_and_verify', { unpin: true }, ['deploy', '--unpin']],
    ['rollback', { to: commit }, ['rollback', '--to', commit]],
    ['tail_guard_log', { lines: 7 }, ['guard-log', '--lines', '7']],
  ] as const)('lets the same request join: %s %j', async (action, params, args) => {
    const id = await start(action, params)
    const started: [string, boolean][] = []
    const joining = hostd.client.startOrJoin(action, params, {
      onRun: (...run) => started.push(run),
    })
    const typed = hqHere(...args, '--json')
    await until('the run to be joined', () => started.length === 1)
    expect(started).toEqual([[id, true]])
    open()
    expect((await joining).run).toMatchObject({ run_id: id, status: 'passed' })
    // The command line was started meanwhile: it joined, or came after the end and started one run more.
    const { code, out } = await typed
    expect([code, JSON.parse(out)]).toEqual([0, expect.objectContaining({ overall: 'PASS' })])
  })

  it.each([
    ['another commit', { to: commit }, { to: 'c'.repeat(40) }],
    ['no commit against one', {}, { to: commit }],
    ['one commit against none', { to: commit }, {}],
  ])('refuses a rollback to %s', async (_what, running, asked) => {
    const id = await start('rollback', running)
    await expect(hostd.client.startOrJoin('rollback', asked)).rejects.toMatchObject({
      errorClass: 'lane_busy',
      message: expect.stringContaining(id),
    })
  })
})
