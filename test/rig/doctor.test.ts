import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { dodRunHeader } from '#shared/api'
import { newRunId } from '#shared/ids'
import { checksResult, type CheckResult, type ChecksResult } from '#shared/result'
import { prepareDeployHost, type DeployHost } from '../support/rig/deploy-host.ts'
import { productionPaths as paths } from '../support/rig/host.ts'
import { until } from '../support/rig/patience.ts'
import { whyNoRig } from '../support/rig/programs.ts'
import { bootRig, type Rig } from '../support/rig/rig.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: doctor on a whole host`)

const connectors = `${paths.etc}/secrets/soma_kajabi`
const day = 86_400_000

describe.skipIf(why !== null)('doctor on a whole host', () => {
  let rig: Rig
  let host: DeployHost
  beforeAll(async () => {
    rig = await bootRig({ say: console.warn })
    host = await prepareDeployHost(rig)
    await host.ship('one')
    const { result } = await host.deploy()
    expect(result.overall, JSON.stringify(result.steps)).toBe('PASS')
    // Its passes would put right what is planted here.
    await rig.must(['systemctl', 'stop', 'openclaw-guard.timer'])
  })
  afterAll(async () => await rig?.down())

  /** Git in the clone, as the account that it belongs to. */
  const asOwner = [
    'setpriv',
    '--reuid=openclaw-build',
    '--regid=openclaw-build',
    '--clear-groups',
    'env',
    'HOME=/nonexistent',
    'git',
    '-C',
    paths.root,
    '-c',
    'user.name=rig',
    '-c',
    'user.email=rig@localhost',
  ]
  const git = async (...args: string[]): Promise<string> =>
    (await rig.must([...asOwner, ...args])).trim()
  const outcome = async (id: string): Promise<ChecksResult> =>
    checksResult.parse((await host.ended(id)).result)
  const doctor = async (): Promise<ChecksResult> => await outcome(await host.start('doctor'))
  const check = (result: ChecksResult, name: string): CheckResult | undefined =>
    result.checks.find((each) => each.name === name)
  const notGood = ({ checks }: ChecksResult): string[] =>
    checks
      .filter(
        ({ name, status }) => status !== 'PASS' && status !== 'SKIP' && name !== 'timer:guard',
      )
      .map(({ name, status, detail }) => `${name} ${status} ${detail}`)

  type Expected = readonly [name: string, status: string, detail: RegExp, remedy?: string]
  /** The least time that a check has for a part of its work, milliseconds. */
  const leastLimit = 1300
  /**
   * Doctor, until nothing that differs from what is expected could be for want of time: on a machine with other work a
   * check may run out of its own, and what is planted stays.
   * @param others every other check must be good
   */
  const doctorWithTime = async (
    expected: readonly Expected[],
    others = false,
  ): Promise<ChecksResult> =>
    await until('a doctor that has the time it needs', async () => {
      const result = await doctor()
      const off = result.checks.filter((each) => {
        const [, status, detail] = expected.find(([name]) => name === each.name) ?? []
        return status === undefined || detail === undefined
          ? others && notGood({ ...result, checks: [each] }).length > 0
          : each.status !== status || !detail.test(each.detail)
      })
      return off.length > 0 && off.every(({ duration_ms }) => duration_ms >= leastLimit)
        ? null
        : result
    })
  const expectEach = (result: ChecksResult, expected: readonly Expected[]): void => {
    for (const [name, status, detail, remedy] of expected)
      expect(check(result, name), name).toMatchObject({
        status,
        detail: expect.stringMatching(detail),
        ...(remedy === undefined ? {} : { remedy }),
      })
  }

  it('finds nothing on a green host, and says what it measured or why it did not', async () => {
    const expected: Expected[] = [
      ['timer:doctor', 'PASS', /next run in \d+/],
      ['timer:guard', 'PASS', /./],
      ['units', 'PASS', /none is failed/],
      ['docker', 'PASS', /^Docker \d.*storage driver \w+/],
      ['docker_disk', 'PASS', /images \d+\.\d GiB, build cache \d+\.\d GiB/],
      [
        'containers',
        'PASS',
        /^openclaw-console \([0-9a-f]{12}\) runs for .*; web \([0-9a-f]{12}\) runs for \d+ min, healthy, 0 restarts$/,
      ],
      ['clock', 'PASS', /last deploy .*HEAD /],
      ['safe_directory', 'PASS', /belongs to user \d+, git runs as user \d+/],
      ['clone_config', 'PASS', /./],
      ['unproven_commits', 'PASS', /1 verdict reaches|proven by deploy/],
      ['unproven_on_origin', 'PASS', /./],
      ['secret_modes', 'PASS', /owners too/],
      ['funnel_requests', 'PASS', /./],
    ]
    await rig.must(['systemctl', 'start', 'openclaw-guard.timer'])
    const result = await doctorWithTime(expected, true)
    await rig.must(['systemctl', 'stop', 'openclaw-guard.timer'])
    expect(notGood(result)).toEqual([])
    expectEach(result, expected)
    expect(check(result, 'clock_sync')).toMatchObject({
      status: 'SKIP',
      detail: expect.stringContaining('container'),
    })
    expect(check(result, 'tailnet')).toMatchObject({
      status: 'SKIP',
      detail: expect.stringContaining('not installed'),
    })
  })

  it('finds each of many faults by its own check and remedy, and nothing once they are gone', async () => {
    await rig.must(['systemctl', 'stop', 'openclaw-doctor.timer'])
    await rig.must(['systemctl', 'disable', '--quiet', 'openclaw-guard.timer'])
    await rig.exec(['systemd-run', '--quiet', '--wait', '--unit=openclaw-broken', 'false'])
    const { side = '' } = await host.running()
    await host.docker('stop', '--time', '1', side)
    await rig.must(['git', 'config', '--system', 'safe.directory', '*'])
    await git('config', 'core.fsmonitor', '/usr/local/bin/watch')
    await rig.must(['install', '-m', '0644', '/dev/null', `${connectors}/gmail_imap.json`])
    await rig.must(['ln', '-s', '/etc/hostname', `${connectors}/gmail_oauth.json`])
    await rig.must(['chmod', '0644', `${paths.etc}/keys/deploy_key.pem`])
    await rig.must(['mkdir', '-p', '/run/tailscale'])
    await rig.write(
      '/run/tailscale/local-api.mjs',
      readFileSync('test/support/local-api.mjs', 'utf8'),
    )
    await rig.write('/run/tailscale/serve.json', 'null')
    await rig.write(
      '/run/tailscale/status.json',
      JSON.stringify({
        BackendState: 'Running',
        TailscaleIPs: ['100.64.1.2'],
        Self: {
          DNSName: 'aiops-1.example.ts.net.',
          Online: true,
          KeyExpiry: new Date(Date.now() + 5 * day).toISOString(),
        },
      }),
    )
    await rig.must([
      'systemd-run',
      '--quiet',
      '--unit=local-api',
      `${paths.releases}/current/node_modules/.bin/node`,
      '/run/tailscale/local-api.mjs',
      '/run/tailscale',
      '/run/tailscale/tailscaled.sock',
    ])
    expect(
      (await host.api('/health', { headers: { 'tailscale-funnel-request': '?1' } })).status,
    ).toBe(403)
    const unreviewed = await host.ship('unreviewed', {}, { reviewed: false })
    const expected: Expected[] = [
      ['timer:doctor', 'FAIL', /is inactive, and maintenance is off/, 'install_again'],
      ['timer:guard', 'FAIL', /is disabled/, 'install_again'],
      ['units', 'FAIL', /openclaw-broken\.service is failed \(exit-code\)/, 'install_again'],
      ['containers', 'FAIL', /side \([0-9a-f]{12}\) is exited with exit code/, 'deploy_again'],
      ['safe_directory', 'WARN', /safe\.directory = \* in \/etc\/gitconfig/, 'repair_clone'],
      ['clone_config', 'WARN', /core\.fsmonitor = \/usr\/local\/bin\/watch/, 'repair_clone'],
      [
        'secret_modes',
        'FAIL',
        /deploy_key\.pem has mode 0644.*gmail_imap\.json has mode 0644.*gmail_oauth\.json is a symbolic link/,
        'protect_secrets',
      ],
      [
        'tailnet',
        'WARN',
        /key of aiops-1\.example\.ts\.net 100\.64\.1\.2 expires in [45]\.\d days/,
        'renew_tailnet_key',
      ],
      [
        'funnel_requests',
        'FAIL',
        /1 request came from the public internet/,
        'close_tailscale_serve',
      ],
      [
        'unproven_on_origin',
        'WARN',
        new RegExp(
          `1 commit without a verified review: ${unreviewed.slice(0, 12)} "version" .*no review verdict`,
        ),
        'ship_the_commit',
      ],
      ['unproven_commits', 'PASS', /./],
    ]
    const result = await doctorWithTime(expected)
    // What it finds is no failure of its unit: that would say that it did not come through.
    await rig.must(['systemctl', 'start', 'openclaw-doctor.service'])
    expect([
      await host.show('openclaw-doctor.service', 'ActiveState'),
      await host.show('openclaw-doctor.service', 'Result'),
    ]).toEqual(['inactive', 'success'])

    await rig.must(['systemctl', 'start', 'openclaw-doctor.timer'])
    await rig.must(['systemctl', 'enable', '--quiet', 'openclaw-guard.timer'])
    await rig.must(['systemctl', 'reset-failed', 'openclaw-broken.service'])
    await host.docker('start', side)
    await rig.must([
      'rm',
      '/etc/gitconfig',
      `${connectors}/gmail_imap.json`,
      `${connectors}/gmail_oauth.json`,
      `${paths.state}/hostd/funnel_requests.json`,
    ])
    await git('config', '--unset', 'core.fsmonitor')
    await rig.must(['chmod', '0600', `${paths.etc}/keys/deploy_key.pem`])

    expectEach(result, expected)
    // What was fetched to judge origin is not left in the clone.
    expect((await rig.exec([...asOwner, 'cat-file', '-e', unreviewed])).code).not.toBe(0)
    await rig.write(
      '/run/tailscale/status.json',
      JSON.stringify({ BackendState: 'NeedsLogin', Self: null }),
    )
    const left: Expected[] = [
      ['git_drift', 'WARN', /^drift: /],
      ['unproven_on_origin', 'WARN', /1 commit without a verified review/],
      ['tailnet', 'FAIL', /^Tailscale is signed out/],
    ]
    const after = await doctorWithTime(left, true)
    expect(notGood(after)).toEqual(
      left.map(([name, status]) => expect.stringContaining(`${name} ${status} `) as unknown),
    )
    expectEach(after, left)
    await rig.must(['systemctl', 'stop', 'local-api.service'])
    await rig.must(['rm', '-r', '/run/tailscale'])
  })

  it('fails for a commit that nobody reviewed, a clone of another owner, and a clock that went back', async () => {
    const head = await git('rev-parse', 'HEAD')
    await git('commit', '--quiet', '--allow-empty', '--message=by hand')
    const state = await rig.must(['cat', paths.projectState])
    await rig.write(
      paths.projectState,
      state.replace(
        /"last_deploy_timestamp": "[^"]+"/,
        `"last_deploy_timestamp": "${new Date(Date.now() + 3_600_000).toISOString()}"`,
      ),
    )
    const known: Expected[] = [
      [
        'unproven_commits',
        'FAIL',
        /1 commit without a verified review: [0-9a-f]{12} "by hand"/,
        'ship_the_commit',
      ],
      ['git_head', 'FAIL', /./],
      ['clock', 'FAIL', /(?:5\d|60) min before the last deploy/, 'set_clock'],
    ]
    const byHand = await doctorWithTime(known)
    await git('reset', '--quiet', '--hard', head)
    await rig.write(paths.projectState, state)
    expectEach(byHand, known)

    const owner = (await rig.must(['stat', '--format=%u:%g', `${paths.root}/.git`])).trim()
    await rig.must(['chown', '1234', `${paths.root}/.git`])
    const refused: Expected[] = [
      [
        'safe_directory',
        'FAIL',
        /^Git refuses the clone: .*belongs to user \d+ and 1234, git runs as user \d+\.$/,
        'repair_clone',
      ],
    ]
    const foreign = await doctorWithTime(refused)
    await rig.must(['chown', owner, `${paths.root}/.git`])
    expectEach(foreign, refused)
  })

  it('accepts a stopped timer while maintenance is on, and only then', async () => {
    const deploy_run_id = newRunId()
    await rig.must(['systemctl', 'stop', 'openclaw-doctor.timer'])
    await rig.write(
      paths.maintenance,
      JSON.stringify({
        schema_version: 1,
        deploy_run_id,
        reason: 'test',
        since: new Date().toISOString(),
      }),
    )
    const { status, body } = await host.api('/api/exec', {
      method: 'POST',
      body: { action: 'doctor' },
      headers: { [dodRunHeader]: deploy_run_id },
    })
    expect(status).toBe(202)
    const result = await outcome(String(body['run_id']))
    expect((await host.ended(await host.begin('maintenance_clear'))).status).toBe('passed')
    expect([host.maintenance(), await host.show('openclaw-doctor.timer', 'ActiveState')]).toEqual([
      null,
      'active',
    ])
    expect(check(result, 'timer:doctor')).toMatchObject({
      status: 'PASS',
      detail: expect.stringContaining('while maintenance is on'),
    })
  })

  it('waits two seconds for a Docker that hangs, and still judges the rest', async () => {
    const pid = await host.show('docker.service', 'MainPID')
    await rig.must(['kill', '-STOP', pid])
    const judged = [
      'hostd_health',
      'timer:doctor',
      'units',
      'git_head',
      'secret_modes',
      'disk:state',
    ].map((name): Expected => [name, 'PASS', /./])
    let result: ChecksResult
    try {
      result = await doctorWithTime(judged)
    } finally {
      await rig.must(['kill', '-CONT', pid])
    }
    expect(check(result, 'docker')).toMatchObject({
      status: 'FAIL',
      remedy: 'start_docker',
      detail: 'The check gave no answer within 2 s.',
    })
    expectEach(result, judged)
    expect(Math.max(...result.checks.map(({ duration_ms }) => duration_ms))).toBeGreaterThanOrEqual(
      1900,
    )
  })
})
