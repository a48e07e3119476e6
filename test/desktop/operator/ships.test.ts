import { existsSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { EventsRequest } from '#shared/bridge'
import { shipBundle } from '#shared/bundle'
import type { RunEvent } from '#shared/events'
import { members } from '#ops/process-tree'
import { hostPeer, json } from '../../support/host-peer.ts'
import { operatorBench, until, type OperatorBench } from '../../support/operator-bench.ts'
import { startResponsesApi, type ResponsesApi } from '../../support/responses-api.ts'
import { makeShipRepo, type ShipRepo } from '../../support/ship-repo.ts'

/** A suite that never ends, with a process that left its group. */
const hanging = { name: 'unit', argv: ['sh', '-c', '(setsid sleep 600 &); sleep 600'], report: { format: 'junit' as const, path: 'report.xml' }, timeout_seconds: 600, allowed_skips: [] }

describe('ships, as the renderer sees them', () => {
  let api: ResponsesApi
  let repo: ShipRepo
  let bench: OperatorBench
  beforeAll(async () => { api = await startResponsesApi() })
  afterAll(async () => { await api.close() })
  beforeEach(async () => {
    repo = makeShipRepo(api.base_url)
    bench = operatorBench({ home: repo.home, env: repo.env })
    await bench.call('settings.set_repository', { path: join(repo.repo, 'docs') })
  })
  afterEach(async () => {
    await bench.operator.close()
    await repo.remove()
  })

  const follow = (request: EventsRequest, operator = bench.operator) => {
    const events: RunEvent[] = []
    const ended = new Promise<unknown>((resolve) => { operator.events(request, (batch) => { events.push(...batch) }, resolve) })
    return { events, ended }
  }
  const shipOf = async (id: string, on = bench) => (await on.call('ship.list', {})).ships.find(({ run_id }) => run_id === id)
  const inStep = (id: string, step: string, on = bench) => until(`ship ${id} is in ${step}`, async () => (await shipOf(id, on))?.step === step)
  const hang = (): void => {
    repo.config({ tests: [hanging] })
    repo.commit('A suite that hangs')
  }

  it('ships the repository, streams the log once and in order, and brings the proof to the host', async () => {
    const stored: string[] = []
    const peer = await hostPeer('token')
    const put = (id: string): void => { peer.answers.set(`PUT /api/ship/${id}`, (asked, response) => { stored.push(asked.body); json(response, 200, { ok: true, run_id: id, stored: 'created', verification: 'unverified' }) }) }
    try {
      await bench.call('settings.set_host', { name: 'aiops-1', url: peer.url, token: 'token' })
      const head = repo.commit('A change', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
      expect((await bench.call('overview.get', {})).repository).toMatchObject({ name: 'sample', branch: 'main', head, subject: 'A change', ahead: 1, behind: 0, dirty_files: 0, ship_blocked: null, next_action: 'Ship the sample.' })

      const { run_id, joined } = await bench.call('ship.start', {})
      put(run_id)
      expect(joined).toBe(false)
      expect(await bench.call('ship.start', {})).toEqual({ run_id, joined: true })
      const { events, ended } = follow({ source: 'ship', run_id, after: 0 })
      expect(await ended).toBeNull()
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
      expect(events.at(-1)).toMatchObject({ type: 'run_finished', result: { overall: 'PASS', git_head: head } })
      const tail = follow({ source: 'ship', run_id, after: events.length - 3 })
      await tail.ended
      expect(tail.events).toEqual(events.slice(-3))

      const { summary, verdict, signature, diff, files } = await bench.call('ship.get', { run_id })
      expect(summary).toMatchObject({ active: false, step: null, result: { overall: 'PASS', pushed_sha: head, remote_sha: head } })
      expect(verdict?.head_sha).toBe(head)
      expect(signature).toBe('verified')
      const file = join(repo.repo, 'artifacts', 'ship', run_id, 'verdict.json')
      const text = readFileSync(file, 'utf8')
      writeFileSync(file, text.replace(/"summary": "/, '$&edited '))
      expect(await bench.call('ship.get', { run_id })).toMatchObject({ signature: 'invalid' })
      writeFileSync(file, text)
      expect(diff).toContain('+export const add = (a, b) => b + a')
      expect(files).toEqual(verdict?.files.map(({ path }) => path))

      const overview = await until('the proof is on the host', async () => (stored.length > 0 ? bench.call('overview.get', {}) : null))
      expect(shipBundle.parse(JSON.parse(stored[0] ?? '')).files.map(({ path }) => path)).toEqual(expect.arrayContaining(['ship_result.json', 'verdict.json', 'events.ndjson']))
      expect(overview.change.gates.slice(0, 3).map(({ state }) => state)).toEqual(['pass', 'pass', 'pass'])
      expect(overview.usual_ms['ship/tests']).toBeGreaterThan(0)
      expect((await until('nothing waits', async () => { const { upload } = await bench.call('overview.get', {}); return upload.queued === 0 && upload })).detail).toBeNull()
      await until('nothing is left to ship', async () => (await bench.call('overview.get', {})).repository?.ship_blocked?.startsWith('Nothing to ship'))
    } finally {
      await peer.leave()
    }
  })

  it('cancels the whole tree of a ship, also what left its group, and the result says so', async () => {
    hang()
    const { run_id } = await bench.call('ship.start', {})
    await inStep(run_id, 'tests')
    await until('the suite runs', () => members({ marker: `OPENCLAW_RUN_ID=${run_id}` }).length >= 3)
    await bench.call('ship.cancel', { run_id })
    expect(members({ marker: `OPENCLAW_RUN_ID=${run_id}` })).toEqual([])
    expect(await shipOf(run_id)).toMatchObject({ active: false, result: { overall: 'FAIL', error_class: 'cancelled', step_failed: 'tests' } })
    expect((await bench.refused('ship.cancel', { run_id })).error_class).toBe('not_running')
  })

  it('finds its ship again after a restart of HQ, and can still cancel it', async () => {
    hang()
    const { run_id } = await bench.call('ship.start', {})
    await inStep(run_id, 'tests')
    await bench.operator.close()
    const later = operatorBench({ home: repo.home, env: repo.env })
    try {
      await inStep(run_id, 'tests', later)
      expect(await later.call('ship.start', {})).toEqual({ run_id, joined: true })
      await later.call('ship.cancel', { run_id })
      expect(await shipOf(run_id, later)).toMatchObject({ active: false, result: { error_class: 'cancelled' } })
    } finally {
      await later.operator.close()
    }
  })

  it('shows a ship whose process was killed as interrupted in the step it was in', async () => {
    hang()
    const { run_id } = await bench.call('ship.start', {})
    await inStep(run_id, 'tests')
    const { ended } = follow({ source: 'ship', run_id, after: 0 })
    const { pid } = JSON.parse(readFileSync(join(repo.home, 'ships', `${run_id}.json`), 'utf8')) as { pid: number }
    process.kill(pid, 'SIGKILL')
    expect(await ended).toBeNull()
    expect(await shipOf(run_id)).toMatchObject({ active: false, result: { overall: 'FAIL', error_class: 'interrupted', step_failed: 'tests', next_auto_fix: 'start_again' } })
    for (const left of members({ marker: `OPENCLAW_RUN_ID=${run_id}` })) process.kill(left, 'SIGKILL')
  })

  it('joins a ship that was started at a terminal, and leaves it to the terminal', async () => {
    hang()
    const typed = repo.start()
    try {
      await inStep(typed.runId, 'tests')
      expect(await bench.call('ship.start', {})).toEqual({ run_id: typed.runId, joined: true })
      expect((await bench.refused('ship.cancel', { run_id: typed.runId })).message).toContain('started at a terminal')
    } finally {
      typed.child.kill('SIGTERM')
      await typed.end()
    }
    await until('it has ended here too', async () => (await shipOf(typed.runId))?.result?.error_class === 'cancelled')
  })

  it('keeps the proof of a ship typed at a terminal until the host is there', async () => {
    const peer = await hostPeer('token')
    try {
      repo.commit('A change', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
      const typed = await repo.ship()
      expect(typed.result.overall).toBe('PASS')
      const id = typed.result.run_id
      let answered = 0
      peer.answers.set(`PUT /api/ship/${id}`, (_asked, response) => {
        answered += 1
        if (answered === 1) json(response, 507, { ok: false, error_class: 'disk_full', detail: 'The disk of the host is full.', next_auto_fix: 'free_disk' })
        else json(response, 200, { ok: true, run_id: id, stored: 'created', verification: 'unverified' })
      })
      expect((await bench.call('overview.get', {})).upload.queued).toBe(1)
      await peer.leave()
      await bench.call('settings.set_host', { name: 'aiops-1', url: peer.url, token: 'token' })
      expect((await bench.call('overview.get', {})).upload.queued).toBe(1)
      await peer.comeBack()
      await until('the first answer is a full disk', async () => (await bench.call('overview.get', {})).upload.detail === 'The disk of the host is full.' && existsSync(join(repo.home, 'upload-queue', `${id}.json`)))
      await until('it is stored', async () => (await bench.call('overview.get', {})).upload.queued === 0)
      expect(answered).toBe(2)
    } finally {
      await peer.leave()
    }
  })

  it('gives files of a ship and nothing else of the laptop', async () => {
    repo.commit('A change', { 'app.test.mjs': 'throw new Error("broken")\n' })
    const { result, dir } = await repo.ship()
    const run_id = result.run_id
    expect((await bench.call('ship.file', { run_id, path: 'ship_result.json' })).text).toContain(run_id)
    symlinkSync(join(repo.home, 'settings.json'), join(dir, 'link.json'))
    for (const path of ['../../../openclaw.config.json', 'link.json', '/etc/passwd', '.reserve', 'tests.log/']) expect(await bench.refused('ship.file', { run_id, path })).toMatchObject({ error_class: 'not_found' })
    expect(await bench.refused('ship.get', { run_id: '20260101T000000Z-00000000' })).toMatchObject({ error_class: 'not_found' })
  })

  it('says on the button why nothing can be shipped', async () => {
    const blocked = async (why: string): Promise<unknown> => until(why, async () => (await bench.call('overview.get', {})).repository?.ship_blocked === why, 10)
    repo.write('app.mjs', 'changed')
    await blocked('1 file is not committed.')
    repo.commit('Commit it')
    repo.git('checkout', '--quiet', '-b', 'side')
    await blocked('The repository is on side; ship goes from main.')
  })

  it('sets the one next action and commits nothing', async () => {
    const head = repo.git('rev-parse', 'HEAD')
    await bench.call('next.set', { text: 'Write the second sample.' })
    expect(readFileSync(join(repo.repo, 'docs/OPENCLAW_NEXT.md'), 'utf8')).toContain('- Write the second sample.')
    expect(repo.git('rev-parse', 'HEAD')).toBe(head)
    expect((await bench.refused('next.set', { text: '   ' })).message).toContain('text')
  })

  it('refuses a folder that is no repository, and a provider nobody accepted', async () => {
    expect((await bench.refused('settings.set_repository', { path: repo.temp })).error_class).toBe('not_a_repository')
    expect((await bench.refused('settings.set_repository', { path: join(repo.temp, 'missing') })).error_class).toBe('not_a_repository')
    expect((await bench.refused('settings.set_repository', { path: join(repo.repo, 'openclaw.config.json') })).error_class).toBe('not_a_repository')
    expect((await bench.refused('settings.set_review', { provider: 'nobody', model: 'm' })).error_class).toBe('review_provider_refused')
    const { repository, review } = await bench.call('settings.set_review', { provider: 'loopback', model: 'other-model' })
    expect([repository, review.model, review.providers[0]?.credential]).toEqual([repo.repo, 'other-model', 'present'])
  })
})
