import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { EventsRequest } from '#shared/bridge'
import { shipBundle } from '#shared/bundle'
import type { RunEvent } from '#shared/events'
import { endTree, members } from '#ops/base/process/process-tree'
import { nodeProgram } from '#ops/base/process/program'
import { hostPeer, json } from '../../../support/host-peer.ts'
import { operatorBench, until } from '../../../support/operator-bench.ts'
import { stateNow } from '../../../support/state.ts'
import { operatorOfShips } from './operator-of-ships.ts'

/** A suite that never ends, with a process that left its group. */
const hanging = {
  name: 'unit',
  argv: ['sh', '-c', '(setsid sleep 600 &); sleep 600'],
  report: { format: 'junit' as const, path: 'report.xml' },
  timeout_seconds: 600,
  allowed_skips: [],
}

/** Name of a process; null when it has ended. */
function nameOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return null
  }
}

describe('the ships of a repository', () => {
  const at = operatorOfShips()

  const follow = (request: EventsRequest, operator = at.bench.operator) => {
    const events: RunEvent[] = []
    const ended = new Promise<unknown>((resolve) => {
      operator.events(
        request,
        (batch) => {
          events.push(...batch)
        },
        resolve,
      )
    })
    return { events, ended }
  }
  const shipOf = async (id: string, on = at.bench) =>
    (await on.call('ship.list', {})).ships.find(({ run_id }) => run_id === id)
  const inStep = (id: string, step: string, on = at.bench) =>
    until(`ship ${id} is in ${step}`, async () => (await shipOf(id, on))?.step === step)
  const hang = (): void => {
    at.repo.config({ tests: [hanging] })
    at.repo.commit('A suite that hangs')
  }

  it('ships the repository, streams the log once and in order, and brings the proof to the host', async () => {
    const stored: string[] = []
    const peer = await hostPeer('token')
    const put = (id: string): void => {
      peer.answers.set(`PUT /api/ship/${id}`, (asked, response) => {
        stored.push(asked.body)
        json(response, 200, { ok: true, run_id: id, stored: 'created', verification: 'unverified' })
      })
    }
    try {
      await at.bench.call('settings.set_host', { name: 'aiops-1', url: peer.url, token: 'token' })
      const head = at.repo.commit('A change', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
      expect((await at.bench.call('overview.get', {})).repository).toMatchObject({
        name: 'sample',
        branch: 'main',
        head,
        subject: 'A change',
        ahead: 1,
        behind: 0,
        dirty_files: 0,
        ship_blocked: null,
        next_action: 'Ship the sample.',
      })

      const { run_id, joined } = await at.bench.call('ship.start', {})
      put(run_id)
      expect(joined).toBe(false)
      expect(await at.bench.call('ship.start', {})).toEqual({ run_id, joined: true })
      const { events, ended } = follow({ source: 'ship', run_id, after: 0 })
      expect(await ended).toBeNull()
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1))
      expect(events.at(-1)).toMatchObject({
        type: 'run_finished',
        result: { overall: 'PASS', git_head: head },
      })
      const tail = follow({ source: 'ship', run_id, after: events.length - 3 })
      await tail.ended
      expect(tail.events).toEqual(events.slice(-3))

      const { summary, verdict, signature, diff, files } = await at.bench.call('ship.get', {
        run_id,
      })
      expect(summary).toMatchObject({
        active: false,
        step: null,
        result: { overall: 'PASS', pushed_sha: head, remote_sha: head },
      })
      expect(verdict?.head_sha).toBe(head)
      expect(signature).toBe('verified')
      await until('the proof is sealed', () =>
        existsSync(join(at.repo.repo, 'artifacts', 'ship', run_id, 'manifest.json')),
      )
      const file = join(at.repo.repo, 'artifacts', 'ship', run_id, 'verdict.json')
      const text = readFileSync(file, 'utf8')
      writeFileSync(file, text.replace(/"summary": "/, '$&edited '))
      expect(await at.bench.call('ship.get', { run_id })).toMatchObject({ signature: 'invalid' })
      writeFileSync(file, text)
      expect(diff).toContain('+export const add = (a, b) => b + a')
      expect(files).toEqual(verdict?.files.map(({ path }) => path))

      const overview = await until('the proof is on the host', async () =>
        stored.length > 0 ? at.bench.call('overview.get', {}) : null,
      )
      expect(shipBundle.parse(JSON.parse(stored[0] ?? '')).files.map(({ path }) => path)).toEqual(
        expect.arrayContaining(['ship_result.json', 'verdict.json', 'events.ndjson']),
      )
      expect(
        stateNow(overview)
          .change.gates.slice(0, 3)
          .map(({ state }) => state),
      ).toEqual(['pass', 'pass', 'pass'])
      await until(
        'its duration is known',
        async () => ((await at.bench.call('overview.get', {})).usual_ms['ship/tests'] ?? 0) > 0,
      )
      expect(
        (
          await until('nothing waits', async () => {
            const { upload } = await at.bench.call('overview.get', {})
            return upload.queued === 0 && upload
          })
        ).detail,
      ).toBeNull()
      await until('nothing is left to ship', async () =>
        (await at.bench.call('overview.get', {})).repository?.ship_blocked?.startsWith(
          'Nothing to ship',
        ),
      )
    } finally {
      await peer.leave()
    }
  })

  it('cancels the whole tree of a ship, including what left its group, and the result says so', async () => {
    hang()
    const { run_id } = await at.bench.call('ship.start', {})
    await inStep(run_id, 'tests')
    await until(
      'the suite runs',
      () => members({ marker: `OPENCLAW_RUN_ID=${run_id}` }).length >= 3,
    )
    await at.bench.call('ship.cancel', { run_id })
    expect(members({ marker: `OPENCLAW_RUN_ID=${run_id}` })).toEqual([])
    expect(await shipOf(run_id)).toMatchObject({
      active: false,
      result: { overall: 'FAIL', error_class: 'cancelled', step_failed: 'tests' },
    })
    expect((await at.bench.refused('ship.cancel', { run_id })).error_class).toBe('not_running')
  })

  it('finds its ship again after a restart of HQ, and can still cancel it', async () => {
    hang()
    const { run_id } = await at.bench.call('ship.start', {})
    await inStep(run_id, 'tests')
    await at.bench.operator.close()
    const later = operatorBench({ home: at.repo.home, env: at.repo.env })
    try {
      await inStep(run_id, 'tests', later)
      expect(await later.call('ship.start', {})).toEqual({ run_id, joined: true })
      await later.call('ship.cancel', { run_id })
      expect(await shipOf(run_id, later)).toMatchObject({
        active: false,
        result: { error_class: 'cancelled' },
      })
    } finally {
      await later.operator.close()
    }
  })

  it('shows a ship whose process was killed as interrupted in the step it was in', async () => {
    hang()
    const { run_id } = await at.bench.call('ship.start', {})
    await inStep(run_id, 'tests')
    const { ended } = follow({ source: 'ship', run_id, after: 0 })
    const { pid } = JSON.parse(
      readFileSync(join(at.repo.home, 'ships', `${run_id}.json`), 'utf8'),
    ) as { pid: number }
    process.kill(pid, 'SIGKILL')
    expect(await ended).toBeNull()
    expect(await shipOf(run_id)).toMatchObject({
      active: false,
      result: {
        overall: 'FAIL',
        error_class: 'interrupted',
        step_failed: 'tests',
        next_auto_fix: 'start_again',
      },
    })
    await endTree({ marker: `OPENCLAW_RUN_ID=${run_id}` }, 0)
  })

  it('joins a ship of a terminal, and cancels it with all it started but not the terminal', async () => {
    hang()
    const typed = at.repo.start()
    try {
      await inStep(typed.runId, 'tests')
      expect(await at.bench.call('ship.start', {})).toEqual({ run_id: typed.runId, joined: true })
      await until(
        'the suite runs',
        () => members({ marker: `OPENCLAW_RUN_ID=${typed.runId}` }).length > 0,
      )
      await at.bench.call('ship.cancel', { run_id: typed.runId })
      expect(members({ marker: `OPENCLAW_RUN_ID=${typed.runId}` })).toEqual([])
      expect((await typed.end()).result).toMatchObject({
        error_class: 'cancelled',
        step_failed: 'tests',
      })
    } finally {
      typed.child.kill('SIGKILL')
    }
    await until(
      'it has ended here too',
      async () => (await shipOf(typed.runId))?.result?.error_class === 'cancelled',
    )
  })

  it('never signals a process that only reuses the id of the one that held the lock', async () => {
    hang()
    const typed = at.repo.start()
    try {
      await inStep(typed.runId, 'tests')
      await until(
        'the suite that hangs runs',
        () =>
          members({ marker: `OPENCLAW_RUN_ID=${typed.runId}` }).filter(
            (pid) => nameOf(pid) === 'sleep',
          ).length >= 2,
      )
      // As it would look if that process had ended and another one were given its number.
      const file = join(at.repo.repo, '.git', 'openclaw-ship.json')
      writeFileSync(
        file,
        JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), start_time: '1' }),
      )
      await at.bench.call('ship.cancel', { run_id: typed.runId })
      // It was not signalled: it ended by itself when its suite was gone.
      expect((await typed.end()).result.error_class).not.toBe('cancelled')
    } finally {
      typed.child.kill('SIGKILL')
    }
  })

  it('ships until green when the switch is on, and shows the running attempt and the shipped commit', async () => {
    const script = join(at.repo.home, 'implementer.mjs')
    const [works, go] = [join(at.repo.home, 'works'), join(at.repo.home, 'go')]
    writeFileSync(
      script,
      `import { existsSync, writeFileSync } from 'node:fs'\n` +
        `writeFileSync(${JSON.stringify(works)}, '')\n` +
        `while (!existsSync(${JSON.stringify(go)})) await new Promise((resolve) => setTimeout(resolve, 20))\n` +
        `writeFileSync('app.test.mjs', "import { test } from 'node:test'\\ntest('adds', () => { throw new ` +
        `Error('otherwise') })\\n")\n`,
    )
    at.repo.settings(
      {},
      { repository: at.repo.repo, until_green: { argv: [nodeProgram(), script] } },
    )
    expect((await at.bench.call('settings.set_until_green', { repairs: 1 })).until_green).toEqual({
      repairs: 1,
      implementer: nodeProgram(),
    })
    const head = at.repo.commit('Break it', { 'app.mjs': 'export const add = (a, b) => a * b\n' })
    const { run_id } = await at.bench.call('ship.start', {})
    await until('the implementer works', () => existsSync(works))
    expect(await shipOf(run_id)).toMatchObject({ active: true, step: 'repair', result: null })
    writeFileSync(go, '')
    const { result } = await until('it has ended', async () => {
      const found = await shipOf(run_id)
      return found?.active === false && found
    })
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'tests_failed',
      until_green: {
        start_sha: head,
        stopped: 'repair 1 of 1 was the last',
        protected_changes: [{ path: 'app.test.mjs', status: 'modified' }],
      },
    })
    expect(result?.git_head).not.toBe(head)
    const overview = await at.bench.call('overview.get', {})
    const { change } = stateNow(overview)
    expect([overview.repository?.head, change.gates[0]]).toMatchObject([
      head,
      { name: 'tests', state: 'fail', detail: 'tests_failed', run_id },
    ])
  })
})
