import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { RunEvent } from '#shared/events'
import { projectState } from '#shared/result'
import { maintenanceFile } from '#shared/run'
import { hq, rawRequest } from '../../../support/hostd.ts'
import { deployHost, type Deployed, type DeployHost } from '../../../support/host.ts'

// Case G7: a deploy once adopted the maintenance that a person had put on, and ended it.

let at: DeployHost
const shas: string[] = []
const green = async (): Promise<void> => {
  const { result } = await at.deploy()
  expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
  shas.push(result.target_sha ?? '')
}
beforeAll(async () => {
  at = await deployHost({ message: 'one' })
  await green()
  await at.ship({ message: 'two' })
  await green()
})
afterAll(async () => {
  await at.remove()
})
afterEach(() => {
  rmSync(at.host.paths.maintenance, { recursive: true, force: true })
})

const person = 'operator@example.com'
const putOn = async (reason: string): Promise<void> => {
  const { tailnet } = at.hostd
  const { status } = await rawRequest(
    { socketPath: tailnet.socketPath },
    {
      method: 'PUT',
      path: '/api/maintenance',
      headers: Object.entries({
        ...tailnet.headers(person),
        'Content-Type': 'application/json',
      }).flat(),
      body: JSON.stringify({ reason }),
    },
  )
  expect(status).toBe(200)
}
const state = () => projectState.parse(JSON.parse(readFileSync(at.host.paths.projectState, 'utf8')))
const logOf = ({ events }: Deployed): string =>
  events.flatMap((event) => (event.type === 'log' ? [event.text] : [])).join('\n')
/** What a deploy that was refused leaves as it was. */
const standing = async (): Promise<unknown> => ({
  message: await at.message(),
  maintenance: readFileSync(at.host.paths.maintenance, 'utf8'),
  head: at.git(at.host.paths.root, 'rev-parse', 'HEAD'),
  state: state(),
  deploys: readdirSync(join(at.host.paths.artifacts, 'deploy')).toSorted(),
})

describe('G7 maintenance that a person has put on', () => {
  it.each([
    ['deploy_and_verify', 'The deploy'],
    ['rollback', 'The rollback'],
  ] as const)('refuses %s, names the person and the time, and stays on', async (action, what) => {
    await at.ship({ message: `not deployed by ${action}` })
    await putOn('new disk')
    const { since } = maintenanceFile.required().parse(at.maintenance()).hold
    const before = await standing()
    const refused = await at.deploy({ action })
    expect(refused.run).toMatchObject({ status: 'failed', error_class: 'maintenance_held' })
    expect(refused.result).toMatchObject({
      error_class: 'maintenance_held',
      next_auto_fix: 'end_maintenance',
      steps: [],
    })
    expect(logOf(refused)).toContain(
      `${what} was not started: ${person} holds maintenance mode since ${since}: new disk. ` +
        'End maintenance in HQ ends it. Nothing was changed.',
    )
    expect(await standing()).toEqual(before)
  })

  it.each([
    [
      'an older HQ wrote it',
      JSON.stringify({
        schema_version: 1,
        deploy_run_id: null,
        reason: 'by hand',
        since: '2026-11-01T10:00:00.000Z',
      }),
      'a person on the host holds maintenance mode since 2026-11-01T10:00:00.000Z: by hand',
    ],
    ['it was made with touch', '', 'because its file cannot be read'],
  ])('refuses a deploy too when %s', async (_how, text, says) => {
    writeFileSync(at.host.paths.maintenance, text)
    const before = await standing()
    const refused = await at.deploy()
    expect(refused.result).toMatchObject({ error_class: 'maintenance_held', steps: [] })
    expect(logOf(refused)).toContain(says)
    expect(await standing()).toEqual(before)
  })

  it('refuses a deploy although an earlier deploy that failed holds it too', async () => {
    await at.ship({ message: 'broken', build: 'broken' })
    const { run } = await at.deploy()
    expect(at.maintenance()).toMatchObject({ deploy_run_id: run.run_id })
    await at.ship({ message: 'good' })
    await putOn('looking into it')
    expect(at.maintenance()).toMatchObject({ deploy_run_id: run.run_id, hold: { by: person } })
    expect((await at.deploy()).result.error_class).toBe('maintenance_held')
    const { code, out } = await hq(at.host, ['maintenance', 'status'])
    expect([code, out]).toEqual([
      0,
      expect.stringMatching(
        new RegExp(`for deploy ${run.run_id}: deploy\\. ${person} holds it since .*: looking into`),
      ),
    ])
    await at.hostd.client.startOrJoin('maintenance_clear')
    expect(at.maintenance()).toBeNull()
    expect((await at.deploy()).result.overall).toBe('PASS')
  })
})

describe('G7 maintenance that a person puts on during a deploy', () => {
  const during = async (
    when: (event: RunEvent) => boolean,
    then: () => void = () => undefined,
  ): Promise<Deployed> => {
    let put: Promise<void> | undefined
    const deploy = await at.deploy({
      onEvents: (events) => {
        if (put === undefined && events.some(when)) put = putOn('stop').then(then)
      },
    })
    expect(put).toBeDefined()
    await put
    return deploy
  }

  it('stops it before the switch; what served still serves', async () => {
    const [before, serving] = [state(), await at.message()]
    const gate = join(at.host.dir, 'gate')
    await at.ship(
      { message: 'not switched' },
      {
        files: {
          'build.mjs':
            "import { existsSync, mkdirSync, writeFileSync } from 'node:fs'\n" +
            `while (!existsSync(${JSON.stringify(gate)})) await new Promise((ok) => setTimeout(ok, 50))\n` +
            "mkdirSync('dist', { recursive: true }); writeFileSync('dist/message.txt', 'x')\n",
        },
      },
    )
    const { run, result } = await during(
      (event) => event.type === 'step_started' && event.step === 'console_build',
      () => writeFileSync(gate, ''),
    )
    expect(result).toMatchObject({
      error_class: 'maintenance_held',
      step_failed: 'docker_compose',
      attempt: 1,
    })
    expect(result.steps.find(({ name }) => name === 'docker_compose')?.detail).toContain(
      `The deploy stopped before the switch: ${person} holds maintenance mode since `,
    )
    expect([state(), await at.message()]).toEqual([before, serving])
    expect(at.maintenance()).toMatchObject({ deploy_run_id: run.run_id, hold: { reason: 'stop' } })
  })

  it('stops it before the state is recorded, after the switch', async () => {
    const before = state()
    const sha = await at.ship({ message: 'switched' })
    const { result } = await during(
      (event) => event.type === 'step_started' && event.step === 'verify_production',
    )
    expect(result).toMatchObject({
      error_class: 'maintenance_held',
      step_failed: 'update_project_state',
    })
    expect(state()).toEqual(before)
    expect(await at.message()).toEqual({ message: 'switched', commit: sha })
    expect(at.maintenance()).toMatchObject({ hold: { by: person } })
  })

  it('does not let it be ended by a deploy that had recorded its state already', async () => {
    const { result } = await during(
      (event) => event.type === 'step_started' && event.step === 'green_check',
    )
    // Put on before the deploy ended: it stays. Put on after: it is on all the same.
    expect(result.overall).toBe('PASS')
    expect(at.maintenance()).toMatchObject({ deploy_run_id: null, hold: { by: person } })
    expect(existsSync(at.host.paths.maintenance)).toBe(true)
  })
})
