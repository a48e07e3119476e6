import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allUnits } from '#ops/host/install/units/all'
import { runnerCapabilities } from '#ops/host/install/units/runner'
import { dockerReach } from '../support/rig/docker-reach.ts'
import { hostOf, installer, productionPaths as paths, type RigHost } from '../support/rig/host.ts'
import { whyNoRig } from '../support/rig/programs.ts'
import { bootRig, type Rig } from '../support/rig/rig.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: units as systemd judges them`)

const names = Object.keys(allUnits({ paths, port: 8877 }))
const services = names.filter((name) => name.endsWith('.service'))
/** Highest exposure of each, in tenths as `systemd-analyze security` counts them. */
const limits: Record<string, number> = {
  'openclaw-runner@.service': 35,
  'openclaw-upgrade@.service': 25,
}

describe.skipIf(why !== null)('the units of a host', () => {
  let rig: Rig
  let host: RigHost
  beforeAll(async () => {
    rig = await bootRig({ say: console.warn })
    host = hostOf(rig)
    await rig.must([installer])
  })
  afterAll(async () => await rig.down())

  it.each(names)('%s is read by systemd without a warning', async (name) => {
    expect(
      await rig.exec([
        'systemd-analyze',
        'verify',
        '--recursive-errors=no',
        `/etc/systemd/system/${name}`,
      ]),
    ).toMatchObject({ code: 0, err: '' })
  })

  it.each(services)('%s is exposed no more than it may be', async (name) => {
    const judge = async (threshold: number): Promise<number | null> =>
      (
        await rig.exec([
          'systemd-analyze',
          'security',
          '--offline=yes',
          '--no-pager',
          `--threshold=${threshold}`,
          `/etc/systemd/system/${name}`,
        ])
      ).code
    expect(await judge(limits[name] ?? 15)).toBe(0)
    expect(await judge(0)).not.toBe(0) // the judge does say no
  })

  it('gives the runner the capabilities that are listed, and hostd none', async () => {
    expect(
      (await host.show('openclaw-runner@x.service', 'CapabilityBoundingSet')).split(' ').toSorted(),
    ).toEqual(
      Object.keys(runnerCapabilities)
        .map((name) => name.toLowerCase())
        .toSorted(),
    )
    const pid = await host.show('openclaw-hostd.service', 'MainPID')
    const status = await rig.must(['cat', `/proc/${pid}/status`])
    const field = (name: string): string =>
      new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1] ?? ''
    expect(['CapEff', 'CapPrm', 'CapBnd', 'NoNewPrivs'].map((name) => field(name))).toEqual([
      '0000000000000000',
      '0000000000000000',
      '0000000000000000',
      '1',
    ])
    expect(field('Uid').split('\t')[0]).toBe(
      (await rig.must(['id', '-u', 'openclaw-hostd'])).trim(),
    )
  })

  it('lets nothing but the runner reach Docker', async () => {
    for (const [name, text] of Object.entries(allUnits({ paths, port: 8877 })))
      expect([name, dockerReach(text)]).toEqual([
        name,
        name === 'openclaw-runner@.service' ? ['root'] : [],
      ])
    expect((await rig.must(['id', '-nG', 'openclaw-hostd'])).trim()).toBe('openclaw-hostd')
    const ping = ['curl', '-sS', '--unix-socket', '/run/docker.sock', 'http://docker/_ping']
    expect(await rig.exec(ping)).toMatchObject({ code: 0, out: 'OK' })
    const pid = await host.show('openclaw-hostd.service', 'MainPID')
    for (const user of ['openclaw-hostd', 'openclaw-build'])
      expect(
        (
          await rig.exec([
            'setpriv',
            `--reuid=${user}`,
            `--regid=${user}`,
            '--init-groups',
            ...ping,
          ])
        ).code,
      ).not.toBe(0)
    // not even as root, from where hostd is
    expect((await rig.exec(['nsenter', '-t', pid, '-m', ...ping])).code).not.toBe(0)
  })

  it('lets hostd write its own folder and nothing else, and reach no network', async () => {
    const pid = await host.show('openclaw-hostd.service', 'MainPID')
    const inside = async (...argv: string[]): Promise<number | null> =>
      (
        await rig.exec([
          'nsenter',
          '-t',
          pid,
          '-m',
          '-n',
          'setpriv',
          '--reuid=openclaw-hostd',
          '--regid=openclaw-hostd',
          '--clear-groups',
          ...argv,
        ])
      ).code
    expect(await inside('touch', `${paths.state}/hostd/probe`)).toBe(0)
    for (const path of [
      paths.artifacts,
      paths.runs,
      paths.locks,
      paths.etc,
      paths.root,
      '/run/openclaw',
      '/etc',
    ])
      expect([path, await inside('touch', `${path}/probe`)]).toEqual([path, 1])
    expect(await inside('curl', '-sS', '--max-time', '5', `http://${rig.outside}:9418/`)).not.toBe(
      0,
    )
    expect(await inside('curl', '-sS', '--max-time', '5', 'http://127.0.0.1:8877/health')).not.toBe(
      0,
    )
  })

  it('lets nobody but hostd open a lock: an open lock can be held against every run', async () => {
    const lock = `${paths.locks}/lane-deploy.lock`
    await rig.must(['touch', lock])
    const open = async (user: string): Promise<number | null> =>
      (
        await rig.exec([
          'setpriv',
          `--reuid=${user}`,
          `--regid=${user}`,
          '--init-groups',
          'cat',
          lock,
        ])
      ).code
    expect([await open('openclaw-hostd'), await open('openclaw-build')]).toEqual([0, 1])
  })
})

describe('the rule about Docker', () => {
  it.each([
    ['[Service]\nUser=x\nSupplementaryGroups=docker\n', ['group docker']],
    ['[Service]\nUser=x\nGroup=docker\n', ['group docker']],
    ['[Service]\nUser=x\nBindPaths=/run/docker.sock\n', ['docker.sock']],
    ['[Service]\nExecStart=/bin/true\n', ['root']],
    ['[Service]\nUser=root\n', ['root']],
    ['[Service]\nUser=x\nAmbientCapabilities=CAP_DAC_OVERRIDE\n', ['capabilities']],
    ['[Service]\nUser=x\nInaccessiblePaths=-/run/docker.sock\n', []],
    ['[Service]\nInaccessiblePaths=-/run/docker.sock\n', ['root']],
    ['[Service]\nInaccessiblePaths=-/run/docker.sock\nCapabilityBoundingSet=CAP_CHOWN\n', []],
    [
      '[Service]\nInaccessiblePaths=-/run/docker.sock\nCapabilityBoundingSet=CAP_CHOWN CAP_SYS_PTRACE\n',
      ['root'],
    ],
    [
      '[Service]\nInaccessiblePaths=-/run/docker.sock\nCapabilityBoundingSet=~CAP_SYS_ADMIN\n',
      ['root'],
    ],
  ])('judges %j', (text, found) => expect(dockerReach(text)).toEqual(found))
})
