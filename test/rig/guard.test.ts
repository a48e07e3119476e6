import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { guardLine, guardLogFile, type GuardLine } from '#ops/features/guard/log'
import { attemptsFileOf } from '#ops/features/guard/attempts'
import {
  hostOf,
  hqInside,
  installer,
  productionPaths as paths,
  type RigHost,
} from '../support/rig/host.ts'
import { until } from '../support/rig/patience.ts'
import { whyNoRig } from '../support/rig/programs.ts'
import { bootRig, type Rig } from '../support/rig/rig.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: guard on an installed host`)

const hostd = 'openclaw-hostd.service'
const timers = ['openclaw-doctor.timer', 'openclaw-guard.timer'] as const
const [doctorTimer, guardTimer] = timers

describe.skipIf(why !== null)('guard on an installed host', () => {
  let rig: Rig
  let host: RigHost
  beforeAll(async () => {
    rig = await bootRig({ say: console.warn })
    host = hostOf(rig)
    await rig.must([installer])
  })
  afterAll(async () => await rig?.down())
  afterEach(async () => {
    await rig.must(['rm', '-f', paths.maintenance, attemptsFileOf(paths)])
    await signal('CONT')
    await rig.must(['systemctl', 'enable', '--now', '--quiet', ...timers])
    await until(
      'hostd to answer',
      async () =>
        (await host.api('/health', { token: null, seconds: 2 }).catch(() => null))?.status === 200,
    )
  })

  const lines = async (): Promise<GuardLine[]> =>
    (await rig.exec(['cat', guardLogFile(paths)])).out
      .split('\n')
      .filter((row) => row !== '')
      .map((row) => guardLine.parse(JSON.parse(row)))
  /** One pass as the timer starts it: the unit comes back when it is through. @returns its line */
  const pass = async (): Promise<GuardLine> => {
    const before = (await lines()).length
    await rig.exec(['systemctl', 'reset-failed', 'openclaw-guard.service'])
    await rig.exec(['systemctl', 'start', 'openclaw-guard.service'], { seconds: 900 })
    const all = await lines()
    expect(all).toHaveLength(before + 1)
    return all.at(-1) ?? expect.unreachable()
  }
  const pid = (): Promise<string> => host.show(hostd, 'MainPID')
  const signal = async (name: 'STOP' | 'CONT'): Promise<string> =>
    rig.must(['kill', `-${name}`, await pid()])
  const freeze = (): Promise<string> => signal('STOP')
  const states = async (unit: string): Promise<[string, string]> => [
    await host.show(unit, 'UnitFileState'),
    await host.show(unit, 'ActiveState'),
  ]

  it('finds a fresh host healthy, and its line is in the log and in the journal', async () => {
    const line = await pass()
    expect(line).toMatchObject({
      overall: 'PASS',
      observed_only: false,
      remediations: [],
      failed: [],
    })
    const journal = async (): Promise<GuardLine[]> =>
      (
        await rig.must([
          'journalctl',
          '--identifier=openclaw-guard',
          '--output=cat',
          '--no-pager',
          '--quiet',
        ])
      )
        .split('\n')
        .filter((row) => row !== '')
        .map((row) => guardLine.parse(JSON.parse(row)))
    expect(
      await until('the journal to have taken it in', async () =>
        (await journal()).find(({ run_id }) => run_id === line.run_id),
      ),
    ).toEqual(line)
  })

  it('is started by its timer', async () => {
    const before = (await lines()).length
    const dropIn = `/etc/systemd/system/${guardTimer}.d/soon.conf`
    await rig.write(dropIn, '[Timer]\nOnActiveSec=\nOnActiveSec=1s\nAccuracySec=1s\n')
    await rig.must(['systemctl', 'daemon-reload'])
    await rig.must(['systemctl', 'restart', guardTimer])
    await until(
      'the pass that the timer started',
      async () =>
        (await lines()).length > before &&
        (await host.show('openclaw-guard.service', 'ActiveState')) === 'inactive',
    )
    expect((await lines()).slice(before)).toMatchObject([{ overall: 'PASS' }])
    await rig.must(['rm', dropIn])
    await rig.must(['systemctl', 'daemon-reload'])
    await rig.must(['systemctl', 'restart', guardTimer])
  })

  it('restarts a hostd that hangs, and does not hang itself', async () => {
    const before = await pid()
    await freeze()
    const line = await pass()
    expect(line).toMatchObject({
      overall: 'PASS',
      remediations: [
        {
          remediation: 'restart_hostd',
          target: hostd,
          outcome: 'applied',
          reason: `${hostd} was restarted and answers`,
        },
      ],
    })
    expect(await pid()).not.toBe(before)
    expect((await host.api('/api/status')).status).toBe(200)
    await until(
      'hostd to take the run into its index',
      async () => (await host.api(`/api/runs?id=${line.run_id}`)).status === 200,
    )
  })

  it('enables and starts timers that were switched off', async () => {
    await rig.must(['systemctl', 'disable', '--now', '--quiet', guardTimer])
    await rig.must(['systemctl', 'stop', doctorTimer])
    const line = await pass()
    expect(
      line.remediations.map(({ remediation, target, outcome }) => [remediation, target, outcome]),
    ).toEqual(timers.map((unit) => ['enable_timer', unit, 'applied']))
    expect([line.overall, await states(doctorTimer), await states(guardTimer)]).toEqual([
      'PASS',
      ['enabled', 'active'],
      ['enabled', 'active'],
    ])
  })

  it('leaves a timer alone that a person masked', async () => {
    const file = `/etc/systemd/system/${doctorTimer}`
    await rig.must(['systemctl', 'disable', '--now', '--quiet', doctorTimer])
    await rig.must(['mv', file, '/root/'])
    await rig.must(['systemctl', 'mask', '--quiet', doctorTimer])
    const line = await pass()
    expect([line.overall, line.remediations, await states(doctorTimer)]).toEqual([
      'PASS',
      [],
      ['masked', 'inactive'],
    ])
    await rig.must(['systemctl', 'unmask', '--quiet', doctorTimer])
    await rig.must(['mv', `/root/${doctorTimer}`, file])
    await rig.must(['systemctl', 'daemon-reload'])
  })

  it('only observes while maintenance is on, also when its file cannot be read', async () => {
    const before = await pid()
    await rig.must(['systemctl', 'stop', guardTimer])
    await freeze()
    for (const [text, reason] of [
      [
        JSON.stringify({
          schema_version: 1,
          deploy_run_id: null,
          reason: 'test',
          since: new Date().toISOString(),
        }),
        'maintenance mode is on',
      ],
      ['{ half a', 'cannot be read'],
    ] as const) {
      await rig.write(paths.maintenance, text)
      const line = await pass()
      expect(line).toMatchObject({
        overall: 'FAIL',
        observed_only: true,
        observed_why: expect.stringContaining(reason) as string,
      })
      expect(
        line.remediations.map(({ remediation, target, outcome }) => [remediation, target, outcome]),
      ).toEqual([
        ['restart_hostd', hostd, 'observed'],
        ['enable_timer', guardTimer, 'observed'],
      ])
    }
    expect([await pid(), await states(guardTimer)]).toEqual([before, ['enabled', 'inactive']])
    await rig.must(['rm', paths.maintenance])
    expect((await pass()).remediations.map(({ outcome }) => outcome)).toEqual([
      'applied',
      'applied',
    ])
  })

  it('stops at its bound, and the guard log says so', async () => {
    const settings = await rig.must(['cat', paths.hostSettings])
    await rig.write(
      paths.hostSettings,
      JSON.stringify({ ...(JSON.parse(settings) as object), guard_per_hour: 1 }),
    )
    await freeze()
    expect((await pass()).remediations).toMatchObject([{ outcome: 'applied' }])
    const before = await pid()
    await freeze()
    const line = await pass()
    expect(line).toMatchObject({
      overall: 'FAIL',
      remediations: [{ remediation: 'restart_hostd', outcome: 'refused' }],
    })
    expect(await pid()).toBe(before)
    await signal('CONT')
    await rig.write(paths.hostSettings, settings)
    const { out } = await rig.exec([...hqInside, 'guard-log', '--lines', '1', '--json'])
    expect((JSON.parse(out) as { passes: GuardLine[] }).passes).toEqual([line])
  })
})
