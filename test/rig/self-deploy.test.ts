import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseRunEvent } from '#shared/events'
import { stepTitle } from '#shared/steps'
import { deployResult, type DeployResult } from '#shared/result'
import { prepareDeployHost, type DeployHost, type Ended } from '../support/rig/deploy-host.ts'
import { hqInside, productionPaths as paths } from '../support/rig/host.ts'
import { hqPackage, type Changes } from '../support/rig/hq-package.ts'
import { until } from '../support/rig/patience.ts'
import { whyNoRig } from '../support/rig/programs.ts'
import { serveRegistry, type Registry } from '../support/rig/registry.ts'
import { bootRig, type Rig } from '../support/rig/rig.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: HQ deploying itself`)

const hostd = 'openclaw-hostd.service'
const unitFile = 'ops/host/install/units/hostd.ts'
const tasks =
  (n: number) =>
  (text: string): string =>
    text.replace(/TasksMax=\d+/, `TasksMax=${n}`)
/** Only where systemd passes the sockets: the trial on a spare port has none. */
const whenInstalled =
  (statement: string) =>
  (text: string): string =>
    `if (process.env['LISTEN_FDS'] !== undefined) { ${statement} }\n${text}`

/** One host whose repository is HQ itself: each test goes on from where the one before it ended. */
describe.skipIf(why !== null)('a deploy of HQ itself', () => {
  let rig: Rig
  let at: DeployHost
  let registry: Registry
  beforeAll(async () => {
    rig = await bootRig({ say: console.warn })
    at = await prepareDeployHost(rig)
    registry = await serveRegistry(rig)
    await rig.write(`${paths.etc}/npmrc`, registry.npmrc)
  })
  afterAll(async () => {
    registry?.close()
    await rig?.down()
  })

  const ship = async (version: string, changes: Changes = {}): Promise<string> =>
    await at.laptop.ship(hqPackage(process.cwd(), version, changes))
  /**
   * hostd is not asked while its new version may be a broken one: the run's folder tells. npm and Docker may be slow on
   * a busy machine.
   */
  const endOf = async (id: string): Promise<Ended> => {
    await until(
      `the result of ${id}`,
      () => existsSync(rig.path(`${paths.runs}/${id}/result.json`)),
      1200,
    )
    return await at.outcome(id)
  }
  const deploy = async (
    action: 'deploy_and_verify' | 'rollback' = 'deploy_and_verify',
  ): Promise<Ended> => await endOf(await at.begin(action))
  const version = async (): Promise<unknown> =>
    (await at.api('/health', { token: null })).body['version']
  const current = async (): Promise<string> =>
    basename((await rig.must(['readlink', '-f', `${paths.releases}/current`])).trim())
  const releases = async (): Promise<string[]> =>
    (await rig.must(['ls', paths.releases]))
      .trim()
      .split('\n')
      .filter((name) => name !== 'current')
      .toSorted()
  const standing = async (): Promise<unknown> => ({
    version: await version(),
    current: await current(),
    tasks: await at.show(hostd, 'TasksMax'),
    state: await at.show(hostd, 'ActiveState'),
    fresh: await at.show(hostd, 'NeedDaemonReload'),
  })
  const stepOf = ({ steps }: DeployResult, name: string) => steps.find((step) => step.name === name)
  const attemptOf = ({ run }: Ended, n: number): DeployResult =>
    deployResult.parse(
      JSON.parse(
        readFileSync(
          rig.path(`${paths.artifacts}/deploy/${run.run_id}/attempts/${n}/deploy_result.json`),
          'utf8',
        ),
      ),
    )
  const passed = (ended: Ended): void =>
    expect(
      ended.result,
      `${JSON.stringify(ended.result.steps, null, 1)}\n${JSON.stringify(ended.triage)}`,
    ).toMatchObject({ overall: 'PASS' })
  let good = ''

  it('brings hostd, its units and its packages to the commit during a run that ends PASS', async () => {
    const pid = await at.show(hostd, 'MainPID')
    const sha = await ship('0.1.50', { [unitFile]: tasks(201) })
    const id = await at.begin('deploy_and_verify')
    const following = rig.exec([...hqInside, 'runs', '--follow', id], { seconds: 1200 })
    const seen = new Set<string>()
    const ended = await until(
      'the deploy to end',
      async () => {
        const run = await at.run(id) // the socket is systemd's: no question is lost
        seen.add(run.status)
        return run.finished_at === null ? null : await endOf(id)
      },
      1200,
    )
    passed(ended)
    expect(ended.result).toMatchObject({ target_sha: sha })
    expect(stepOf(attemptOf(ended, 1), 'hostd_install')).toMatchObject({
      status: 'passed',
      detail:
        `hostd was restarted in the middle of this deploy: 0.1.50+${sha.slice(0, 12)} answers, ` +
        'and accepts the token',
    })
    expect([...seen].filter((status) => status !== 'queued')).toEqual(['running', 'passed'])
    expect(await standing()).toEqual({
      version: `0.1.50+${sha.slice(0, 12)}`,
      current: sha,
      tasks: '201',
      state: 'active',
      fresh: 'no',
    })
    expect(await at.show(hostd, 'MainPID')).not.toBe(pid)
    expect((await rig.must(['systemctl', 'is-system-running'])).trim()).toBe('running')

    // Who followed the run through the restart has every event of it, in order.
    const events = readFileSync(rig.path(`${paths.runs}/${id}/log.ndjson`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => parseRunEvent(JSON.parse(line)))
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_event, index) => index + 1))
    const { code, err } = await following
    const printed = err.split('\n').filter((line) => line.startsWith('▸ '))
    expect([code, printed]).toEqual([
      0,
      events.flatMap((event) =>
        event.type === 'step_started' ? [`▸ ${stepTitle(event.step)}`] : [],
      ),
    ])
    expect(err.trim().split('\n').at(-1)).toBe(`${id}: passed`)
    good = sha
  })

  it('leaves a release that neither hostd nor the build account can change', async () => {
    const folder = `${paths.releases}/${good}`
    await rig.must(['test', '-f', `${folder}/out/programs/hostd.mjs`])
    expect(
      await rig.must([
        'find',
        folder,
        '(',
        '!',
        '-user',
        'root',
        '-o',
        '!',
        '-type',
        'l',
        '-perm',
        '/002',
        '-o',
        '-perm',
        '/7000',
        ')',
      ]),
    ).toBe('')
    for (const user of ['openclaw-hostd', 'openclaw-build']) {
      for (const path of [
        folder,
        `${folder}/hostd`,
        `${folder}/node_modules/zod`,
        `${folder}/out/programs`,
        paths.releases,
      ]) {
        expect([
          user,
          path,
          (
            await rig.exec([
              'setpriv',
              `--reuid=${user}`,
              `--regid=${user}`,
              '--init-groups',
              'touch',
              `${path}/probe`,
            ])
          ).code,
        ]).toEqual([user, path, 1])
      }
    }
    expect(await rig.exec(['test', '-e', `${paths.state}/build-home/release`])).toMatchObject({
      code: 1,
    })
    // the host has neither: HQ brought its own
    expect((await rig.exec(['sh', '-c', 'command -v npm node'])).out).toBe('')
  })

  it.each([
    [
      'crashes where systemd starts it, and only there',
      'hostd_install_failed',
      { 'hostd/main.ts': whenInstalled("throw new Error('planted')"), [unitFile]: tasks(202) },
    ],
    [
      'says it is well and lets nobody in',
      'hostd_unhealthy',
      {
        'hostd/http/auth.ts': (text: string) =>
          text.replace(
            'export function checkToken(',
            'export function checkToken(...given: Parameters<typeof checkRealToken>): void {\n  if ' +
              "(process.env['OPENCLAW_STATE'] === '/var/lib/ai-ops-runner') throw new " +
              "Problem('forbidden', 'planted')\n  checkRealToken(...given)\n}\nfunction checkRealToken(",
          ),
        [unitFile]: tasks(203),
      },
    ],
  ] as const)('keeps the old hostd when the new one %s', async (_what, errorClass, changes) => {
    const before = await standing()
    await ship('0.1.51', changes)
    const ended = await deploy()
    expect(ended.result, JSON.stringify(ended.result.steps, null, 1)).toMatchObject({
      overall: 'FAIL',
      step_failed: 'hostd_install',
      error_class: errorClass,
      attempt: 1,
    })
    expect(await standing()).toEqual(before)
    expect((await at.api('/api/status')).status).toBe(200)
    expect(await releases()).not.toContain(ended.result.target_sha)
    expect(at.maintenance()).not.toBeNull()
  })

  it('finishes with the pipeline that it brings: a fix of the pipeline deploys itself', async () => {
    const broken = await ship('0.1.60', {
      'ops/features/deploy/verify/route-gate.ts': (text) =>
        text.replace(
          '  const token = readAdminToken',
          "  if (paths.state !== '') throw new Problem('route_missing', 'planted')\n  const token = readAdminToken",
        ),
    })
    const first = await deploy()
    passed(first) // by the pipeline that was there before
    expect(await current()).toBe(broken)

    const fixed = await ship('0.1.61')
    const second = await deploy()
    passed(second)
    expect(second.result).toMatchObject({ attempt: 2, target_sha: fixed })
    expect(attemptOf(second, 1)).toMatchObject({
      overall: 'FAIL',
      error_class: 'route_missing',
      step_failed: 'console_route_gate',
    })
    expect(attemptOf(second, 2)).toMatchObject({ overall: 'PASS' })
    expect([await current(), await version()]).toEqual([fixed, `0.1.61+${fixed.slice(0, 12)}`])
    expect(at.maintenance()).toBeNull()
    // three are kept: not the one of the installation
    expect(await releases()).toEqual([good, broken, fixed].toSorted())
  })

  it('never downgrades hostd by a rollback, and leaves it when the same commit is deployed again', async () => {
    const before = [await standing(), await at.show(hostd, 'MainPID')]
    passed(await deploy())
    expect([await standing(), await at.show(hostd, 'MainPID')]).toEqual(before)
    const back = await deploy('rollback')
    passed(back)
    expect(stepOf(back.result, 'hostd_install')?.detail).toContain('never downgrades hostd')
    expect([await standing(), await at.show(hostd, 'MainPID')]).toEqual(before)
  })
})
