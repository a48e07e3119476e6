import { chownSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  hostOf,
  hqInside,
  installer,
  nothingToChange,
  productionPaths as paths,
  type RigHost,
} from '../support/rig/host.ts'
import { until } from '../support/rig/patience.ts'
import { whyNoRig } from '../support/rig/programs.ts'
import { bootRig, packageInside, type Rig } from '../support/rig/rig.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: installing hostd on a real host`)

const units = [
  'openclaw-hostd.socket',
  'openclaw-hostd.service',
  'openclaw-runner.socket',
  'openclaw-doctor.timer',
  'openclaw-guard.timer',
]

/** One host from nothing to uninstalled: each test goes on from where the one before it ended. */
describe.skipIf(why !== null)('hq install hostd', () => {
  let rig: Rig
  let host: RigHost
  beforeAll(async () => {
    rig = await bootRig({ say: console.warn })
    host = hostOf(rig)
  })
  afterAll(async () => await rig.down())

  const install = async (...args: string[]) => await rig.exec([installer, ...args])
  const isThere = async (path: string): Promise<boolean> =>
    (await rig.exec(['test', '-e', path])).code === 0
  const nothingMade = async (): Promise<void> => {
    expect((await rig.exec(['getent', 'passwd', 'openclaw-hostd'])).code).not.toBe(0)
    for (const path of [paths.state, paths.tokenFile, '/etc/systemd/system/openclaw-hostd.service'])
      expect(await isThere(path)).toBe(false)
  }

  it('refuses a host without systemd', async () => {
    const { code, err } = await rig.exec([
      'unshare',
      '--mount',
      'sh',
      '-c',
      `mount -t tmpfs none /run/systemd && exec ${installer}`,
    ])
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(
        /^hostd cannot be installed on this machine as it is\ninstall_refused: .*systemd.*Nothing was changed\./,
      ),
    ])
    await nothingMade()
  })

  it('refuses a caller that is not root', async () => {
    const { code, err } = await rig.exec([
      'setpriv',
      '--reuid=1234',
      '--regid=1234',
      '--clear-groups',
      installer,
    ])
    expect([code, err]).toEqual([2, expect.stringContaining('by root')])
    await nothingMade()
  })

  it('refuses while another program holds port 8877, and names it', async () => {
    const [node, listen] = [
      `${packageInside}/node_modules/.bin/node`,
      "require('node:net').createServer().listen(8877, '0.0.0.0')",
    ]
    await rig.must(['systemd-run', '--quiet', '--unit=squatter', node, '-e', listen])
    await until(
      'the port to be taken',
      async () => (await rig.must(['ss', '-Hltn', 'sport', '=', ':8877'])) !== '',
    )
    const { code, err } = await install()
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(/Port 8877 is taken: tcp 0\.0\.0\.0:8877 is held by .*process \d+/),
    ])
    await rig.must(['systemctl', 'stop', 'squatter'])
    await nothingMade()
  })

  it('refuses invalid settings before it changes anything', async () => {
    await rig.write(paths.hostSettings, '{"schema_version":1,"disk_wran":3}')
    const { code, err } = await install()
    expect([code, err]).toEqual([
      2,
      expect.stringMatching(
        /^hostd cannot be installed on this machine as it is\ninstall_refused: .*host\.json: .*"disk_wran".*\. Nothing was changed\./,
      ),
    ])
    await rig.must(['rm', '-r', paths.etc])
    await nothingMade()
  })

  it('refuses folders of another owner, and units that it did not write', async () => {
    await rig.must(['install', '-d', '-o', '1234', paths.etc])
    expect(await install()).toMatchObject({
      code: 2,
      err: expect.stringContaining(`${paths.etc} belongs to user 1234, not to root`),
    })
    await rig.must(['rmdir', paths.etc])
    await rig.write(
      '/etc/systemd/system/openclaw-hostd.service',
      '[Service]\nExecStart=/bin/true\n',
    )
    expect(await install()).toMatchObject({
      code: 2,
      err: expect.stringContaining('was not written by HQ'),
    })
    await rig.must(['rm', '/etc/systemd/system/openclaw-hostd.service'])
    await nothingMade()
  })

  it.each([
    [
      'settings in the clone',
      { OPENCLAW_ETC: `${paths.root}/etc` },
      `${paths.root}/etc lies in the clone`,
    ],
    [
      'state in the clone',
      { OPENCLAW_STATE: `${paths.root}/state` },
      `${paths.root}/state lies in the clone`,
    ],
    [
      'proof deep in the clone',
      { OPENCLAW_ARTIFACTS: `${paths.root}/var/artifacts` },
      'it must lie directly in it, or elsewhere',
    ],
  ])('refuses %s, which the build account could replace', async (_what, env, said) => {
    const { code, err } = await rig.exec([
      'env',
      ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
      installer,
    ])
    expect([code, err]).toEqual([2, expect.stringContaining(said)])
    await nothingMade()
  })

  it('makes a bare machine a host: accounts, folders, token, release, units', async () => {
    for (const part of ['package.json', 'ops/main.ts'])
      chownSync(join(rig.package, part), 1234, 1234) // the account that made the package
    const { code, out, err } = await install()
    expect([code, err.trim().split('\n')]).toEqual([
      0,
      [
        nothingToChange.err.trim(),
        expect.stringContaining(`${paths.root} is not a clone`),
        expect.stringContaining(paths.trustFile),
        expect.stringContaining('The image node:24-bookworm-slim is not here'),
      ],
    ])
    expect(out).toContain('hostd serves 127.0.0.1:8877.')
    await rig.must(['test', '-f', `${paths.releases}/current/out/programs/hostd.mjs`])
    expect((await rig.must(['systemctl', 'is-system-running'])).trim()).toBe('running')
    for (const unit of units)
      expect([
        unit,
        await host.show(unit, 'ActiveState'),
        await host.show(unit, 'UnitFileState'),
      ]).toEqual([unit, 'active', 'enabled'])
    expect(
      await rig.must([
        'find',
        paths.releases,
        '!',
        '-user',
        'root',
        '-o',
        '!',
        '-type',
        'l',
        '-perm',
        '/022',
      ]),
    ).toBe('')
    const modes = await rig.must([
      'stat',
      '-c',
      '%A %U:%G %n',
      paths.etc,
      `${paths.etc}/secrets`,
      `${paths.etc}/secrets/soma_kajabi`,
      paths.tokenFile,
      paths.state,
      `${paths.state}/hostd`,
      paths.runnerSocket,
    ])
    expect(modes.trim().split('\n')).toEqual([
      `drwxr-xr-x root:root ${paths.etc}`,
      `drwxr-x--x root:openclaw-hostd ${paths.etc}/secrets`,
      `drwxr-x--- root:UNKNOWN ${paths.etc}/secrets/soma_kajabi`,
      `-rw-r----- root:openclaw-hostd ${paths.tokenFile}`,
      `drwxr-xr-x root:root ${paths.state}`,
      `drwxr-x--- openclaw-hostd:openclaw-hostd ${paths.state}/hostd`,
      `srw-rw---- root:openclaw-hostd ${paths.runnerSocket}`,
    ])
    expect(host.token()).toMatch(/^[0-9a-f]{64}$/)
    expect(`${out}${err}`).not.toContain(host.token())
  })

  it('lets hostd answer on its loopback port and its socket, only to a caller with the token', async () => {
    expect(
      JSON.parse(await rig.must(['curl', '-sf', 'http://127.0.0.1:8877/health'])),
    ).toMatchObject({ ok: true })
    expect((await rig.must(['ss', '-Hltn', 'sport', '=', ':8877'])).trim().split(/\s+/)[3]).toBe(
      '127.0.0.1:8877',
    )
    expect((await host.api('/api/status')).status).toBe(200)
    expect((await host.api('/api/status', { token: null })).status).toBe(403)
  })

  it('finds nothing to change the second time, and restarts nothing', async () => {
    const before = [
      await host.show('openclaw-hostd.service', 'MainPID'),
      await host.show('openclaw-hostd.socket', 'ActiveEnterTimestamp'),
    ]
    expect(await install()).toMatchObject({ code: 0, out: 'Nothing to change.\n' })
    expect(await rig.exec([...hqInside, 'install', 'hostd'])).toMatchObject({
      code: 0,
      out: 'Nothing to change.\n',
    }) // from the release itself
    expect([
      await host.show('openclaw-hostd.service', 'MainPID'),
      await host.show('openclaw-hostd.socket', 'ActiveEnterTimestamp'),
    ]).toEqual(before)
  })

  it('corrects only what differs, and keeps the token', async () => {
    const token = host.token()
    await rig.must(['chmod', '0644', paths.tokenFile])
    await rig.must(['systemctl', 'disable', '--now', '--quiet', 'openclaw-guard.timer'])
    const pid = await host.show('openclaw-hostd.service', 'MainPID')
    const { code, out } = await install()
    expect([code, out.trim().split('\n')]).toEqual([
      0,
      [
        `set the owner and mode of ${paths.tokenFile}`,
        'enabled openclaw-guard.timer',
        'started openclaw-guard.timer',
        'hostd serves 127.0.0.1:8877.',
      ],
    ])
    expect([host.token(), await host.show('openclaw-hostd.service', 'MainPID')]).toEqual([
      token,
      pid,
    ])
    await rig.must(['truncate', '--size=0', paths.tokenFile])
    expect(await install()).toMatchObject({
      code: 0,
      out: expect.stringContaining(`made an admin token in ${paths.tokenFile}`),
    })
    expect([host.token() === token, (await host.api('/api/status')).status]).toEqual([false, 200])
  })

  const version = async (): Promise<unknown> =>
    (await host.api('/health', { token: null })).body['version']

  it('upgrades in place, from its own release', async () => {
    const file = join(rig.package, 'package.json')
    const text = readFileSync(file, 'utf8')
    const before = await version()
    writeFileSync(file, text.replace(/"version": "[^"]+"/, '"version": "0.1.99"'))
    expect((await install()).code).toBe(0)
    expect([before === '0.1.99', await version()]).toEqual([false, '0.1.99'])
    expect(
      (await rig.must(['ls', paths.releases]))
        .trim()
        .split('\n')
        .filter((name) => name !== 'current'),
    ).toHaveLength(2)
    expect(await install()).toMatchObject({ code: 0, out: 'Nothing to change.\n' })
  })

  it('restores the previous release when the new hostd does not answer', async () => {
    const file = join(rig.package, 'hostd', 'main.ts')
    const text = readFileSync(file, 'utf8')
    writeFileSync(file, `throw new Error('planted')\n${text}`)
    const { code, err } = await install()
    writeFileSync(file, text)
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^hostd is not healthy\nhostd_unhealthy: [^]*planted/),
    ])
    expect(await version()).toBe('0.1.99')
    expect(await install()).toMatchObject({ code: 0, out: 'Nothing to change.\n' })
  })

  it('comes back after a reboot by itself', async () => {
    await rig.reboot()
    expect((await rig.must(['systemctl', 'is-system-running'])).trim()).toBe('running')
    for (const unit of units)
      expect([unit, await host.show(unit, 'ActiveState')]).toEqual([unit, 'active'])
    expect(await version()).toBe('0.1.99')
  })

  it('is uninstalled without its data, and can be installed again with the same token', async () => {
    const token = host.token()
    const { code, out } = await install('--uninstall')
    expect([code, out]).toEqual([0, expect.stringContaining('hostd is uninstalled.')])
    expect(
      (await rig.exec(['systemctl', 'list-unit-files', '--no-legend', 'openclaw-*'])).out,
    ).toBe('')
    expect(await rig.must(['ss', '-Hltn', 'sport', '=', ':8877'])).toBe('')
    expect([
      host.token(),
      await isThere(`${paths.state}/hostd/index.sqlite`),
      await isThere(`${paths.releases}/current/package.json`),
    ]).toEqual([token, true, true])
    expect(await install('--uninstall')).toMatchObject({ code: 0, out: 'Nothing to change.\n' })
    expect((await install()).code).toBe(0)
    expect([host.token(), (await host.api('/api/status')).status]).toEqual([token, 200])
  })
})
