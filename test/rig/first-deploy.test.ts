import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminTokenHeader, dodLastReply } from '#shared/api'
import {
  brokenBuild,
  prepareDeployHost,
  rigBaseImage,
  type DeployHost,
} from '../support/rig/deploy-host.ts'
import { endlessDeploy, isBuilding } from '../support/rig/endless-deploy.ts'
import {
  hqInside,
  installer,
  productionPaths as paths,
  nothingToChange,
} from '../support/rig/host.ts'
import { inOrder, onlyLate, passes, systemctl } from '../support/rig/passes.ts'
import { until } from '../support/rig/patience.ts'
import { whyNoRig } from '../support/rig/programs.ts'
import { bootRig, type Rig } from '../support/rig/rig.ts'

const why = whyNoRig()
if (why) console.warn(`Skipped, ${why}: whole deploys on an installed host`)

/** One host from nothing to its sixth green version: each test goes on from where the one before it ended. */
describe.skipIf(why !== null)('a project on an installed host', () => {
  let rig: Rig
  let host: DeployHost
  const green: { sha: string; message: string }[] = []
  beforeAll(async () => {
    rig = await bootRig({ say: console.warn })
    host = await prepareDeployHost(rig)
  })
  afterAll(async () => await rig.down())
  const isActive = (unit: string): Promise<string> => systemctl(rig, 'is-active', unit)
  const nextGreen = async (message: string): Promise<void> => {
    const sha = await host.ship(message)
    const { result, triage } = await host.deploy()
    expect(
      [result.overall, triage, await host.serves()],
      JSON.stringify([triage, result.steps], null, 1),
    ).toEqual(['PASS', null, { ok: true, message, commit: sha }])
    expect([host.maintenance(), await isActive('openclaw-doctor.timer')]).toEqual([null, 'active'])
    green.push({ sha, message })
  }

  it('is in order before its first deploy: nothing has failed, and the timers wait', async () => {
    for (const unit of ['openclaw-doctor', 'openclaw-guard']) {
      await inOrder(host, unit)
      expect([unit, await isActive(`${unit}.timer`)]).toEqual([unit, 'active'])
    }
    expect(await systemctl(rig, 'is-system-running')).toBe('running')
    expect(await rig.exec([installer, '--origin', rig.origin.url('project.git')])).toMatchObject(
      nothingToChange,
    )
  })

  it('goes green at the first deploy, and nothing of it can be reached from outside', async () => {
    const sha = await host.ship('one', {
      config: { build: [{ name: 'who', argv: ['sh', '-c', 'id -un > built-by'] }] },
    })
    const { run, result } = await host.deploy()
    expect({
      overall: result.overall,
      engine: result.engine,
      unfinished: result.steps.filter(({ status }) => status !== 'passed'),
    }).toEqual({ overall: 'PASS', engine: 'compose', unfinished: [] })
    expect(await host.serves()).toEqual({ ok: true, message: 'one', commit: sha })
    green.push({ sha, message: 'one' })

    await inOrder(host, 'openclaw-doctor')
    expect(await systemctl(rig, 'is-system-running')).toBe('running')
    const addresses = (await rig.must(['ss', '-Hltun']))
      .trim()
      .split('\n')
      .map((line) => line.trim().split(/\s+/)[4] ?? '')
    expect(addresses.filter((address) => !/^(127\.|\[::1\])/.test(address))).toEqual([])
    expect(addresses).toEqual(
      expect.arrayContaining(['127.0.0.1:3000', '127.0.0.1:8787', '127.0.0.1:8877']),
    )
    for (const action of ['doctor', 'guard', 'port_audit'] as const) await passes(host, action)
    for (const timer of ['openclaw-doctor.timer', 'openclaw-guard.timer'])
      expect([timer, await isActive(timer)]).toEqual([timer, 'active'])

    const console_ = (...headers: string[]): string[] => [
      'curl',
      '-s',
      '-w',
      '\n%{http_code}',
      ...headers.flatMap((header) => ['-H', header]),
      'http://127.0.0.1:8787/api/dod/last',
    ]
    expect((await rig.must(console_())).endsWith('\n403')).toBe(true)
    const [body = '', status] = (
      await rig.must(console_(`${adminTokenHeader}: ${host.token()}`))
    ).split('\n')
    expect([status, dodLastReply.parse(JSON.parse(body))]).toEqual([
      '200',
      expect.objectContaining({
        ok: true,
        overall: 'PASS',
        result: expect.objectContaining({ deploy_run_id: run.run_id }),
      }),
    ])
  })

  it("lets git and the project's own builds work as the build account, not as root", async () => {
    const release = `${paths.builds}/shop/${green[0]?.sha ?? ''}`
    expect(readFileSync(rig.path(`${release}/built-by`), 'utf8')).toBe('openclaw-build\n')
    const owners = await rig.must([
      'stat',
      '-c',
      '%U',
      paths.root,
      `${paths.root}/.git/index`,
      `${paths.root}/compose.yaml`,
      `${release}/compose.yaml`,
      `${release}/built-by`,
      paths.artifacts,
    ])
    expect(owners.trim().split('\n')).toEqual([
      'openclaw-build',
      'openclaw-build',
      'openclaw-build',
      'root',
      'root',
      'root',
    ])
  })

  it('replaces only what changed, and says how long nothing answered', async () => {
    const before = await host.running()
    const sha = await host.ship('two')
    const load = await host.load()
    const { result } = await host.deploy()
    const { sent, failed } = await load.stop()
    const after = await host.running()
    console.warn(
      `A good deploy on a host: ${failed} of ${sent} requests were not answered; ` +
        `the deploy says ${String(result.unanswered_ms)} ms`,
    )
    expect([result.overall, await host.serves()], JSON.stringify(result.steps, null, 1)).toEqual([
      'PASS',
      { ok: true, message: 'two', commit: sha },
    ])
    expect(Object.keys(after).filter((service) => after[service] !== before[service])).toEqual([
      'web',
    ])
    // 50 requests a second: what was lost fits in the gap that the result names, and a request that waited.
    expect(result.unanswered_ms).toBeGreaterThan(0)
    expect(sent).toBeGreaterThan(100)
    expect(failed / 50).toBeLessThan((result.unanswered_ms ?? 0) / 1000 + 1)
    green.push({ sha, message: 'two' })
  })

  it.each([
    [
      'an image that cannot be built',
      'docker_compose_failed',
      { files: brokenBuild('no such part') },
      'no such part',
    ],
    ['a version that is not healthy', 'service_unhealthy', {}, 'sick'],
  ] as const)(
    'loses no request to %s; the next good deploy ends maintenance',
    async (_title, errorClass, version, message) => {
      const before = await host.running()
      await host.ship(message, version)
      const load = await host.load()
      const { result, triage } = await host.deploy()
      const { sent, failed } = await load.stop()
      expect([result.overall, result.step_failed, result.error_class, triage?.error_class]).toEqual(
        ['FAIL', 'docker_compose', errorClass, errorClass],
      )
      expect([failed, sent > 50, await host.running(), (await host.serves())?.message]).toEqual([
        0,
        true,
        before,
        'two',
      ])
      expect([
        host.maintenance()?.['deploy_run_id'],
        await isActive('openclaw-doctor.timer'),
      ]).toEqual([result.run_id, 'inactive'])
    },
  )

  it('ends a build with everything it started when its deploy is cancelled', async () => {
    const id = await endlessDeploy(host, 'cancelled-build')
    const { unit } = await host.record(id)
    expect((await host.processesOf(unit ?? '')).length).toBeGreaterThan(3)
    const { status, body } = await host.api(`/api/runs/${id}/cancel`, { method: 'POST' })
    expect([status, body['status']]).toEqual([200, 'cancelled'])
    expect([await host.processesOf(unit ?? ''), (await host.serves())?.message]).toEqual([
      [],
      'two',
    ])
    await until('Docker to end the build', async () => !(await isBuilding(host, 'cancelled-build')))
    expect(await host.run(id)).toMatchObject({
      status: 'cancelled',
      result: { overall: 'FAIL', error_class: 'cancelled' },
    })
  })

  it('lets nobody install HQ by hand meanwhile, and one installation at a time', async () => {
    const id = await endlessDeploy(host, 'install-meanwhile')
    expect(await rig.exec([installer])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('A deploy is running, which may also install hostd.') as string,
    })
    expect((await host.api(`/api/runs/${id}/cancel`, { method: 'POST' })).status).toBe(200)
    // As another installation holds it.
    const hold =
      `const lock = new (require('node:sqlite').DatabaseSync)('${paths.locks}/install.lock'); ` +
      `lock.exec('BEGIN EXCLUSIVE'); ` +
      `process.exit(require('node:child_process').spawnSync('${installer}', { stdio: 'inherit' }).status)`
    expect(await rig.exec([hqInside[0] ?? '', '-e', hold])).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining(
        'Another installation is under way on this host. Nothing was changed.',
      ) as string,
    })
    expect(await rig.exec([installer])).toMatchObject({ code: 0, out: 'Nothing to change.\n' })
  })

  it('is joined by a second deploy, from wherever it is requested', async () => {
    const id = await endlessDeploy(host, 'joined-build')
    const { status, body } = await host.api('/api/exec', {
      method: 'POST',
      body: { action: 'deploy_and_verify' },
    })
    expect([status, body]).toEqual([
      409,
      expect.objectContaining({
        error_class: 'ALREADY_RUNNING',
        active_run_id: id,
        started_at: expect.any(String),
      }),
    ])
    const joined = rig.exec(['sh', '-c', 'exec "$@" 2> /run/joined', 'sh', ...hqInside, 'deploy'], {
      seconds: 900,
    })
    await until('the CLI to follow the run', async () =>
      (await rig.exec(['cat', '/run/joined'])).out.includes(id),
    )
    await host.api(`/api/runs/${id}/cancel`, { method: 'POST' })
    // A run that was cancelled on purpose is not started once more by who had joined it.
    expect([
      (await joined).code,
      (await host.api('/api/runs?action=deploy_and_verify&status=running')).body['runs'],
    ]).toEqual([1, []])
  })

  it('runs one doctor at a time, whether hostd, the CLI or the timer requests it', async () => {
    await nextGreen('three')
    const runs = async (): Promise<{ run_id: string; started_at: string; finished_at: string }[]> =>
      (await host.api('/api/runs?action=doctor')).body['runs'] as never
    const known = new Set((await runs()).map(({ run_id }) => run_id))
    await until('all three to say the same', async () => {
      const [cli, timer, id] = await Promise.all([
        rig.exec([...hqInside, 'doctor', '--json']),
        rig.exec(['systemctl', 'start', 'openclaw-doctor.service']),
        host.begin('doctor'),
      ])
      const { status, result } = await host.ended(id)
      return (
        (cli.code === 0 && timer.code === 0 && status === 'passed') ||
        [JSON.parse(cli.out), result].map(onlyLate)[0]
      )
    })
    const fresh = (await runs())
      .filter(({ run_id }) => !known.has(run_id))
      .toSorted((a, b) => a.started_at.localeCompare(b.started_at))
    expect(fresh.length).toBeGreaterThan(0)
    for (const [n, { started_at }] of fresh.entries())
      if (n > 0) expect(started_at >= (fresh[n - 1]?.finished_at ?? '')).toBe(true)
  })

  it.each([
    ['an orderly reboot', false],
    ['a power cut', true],
  ] as const)(
    'is closed as interrupted by %s; maintenance stays on, doctor quiet, and the next deploy works',
    async (title, plug) => {
      const before = await host.serves()
      const id = await endlessDeploy(host, plug ? 'unplugged-build' : 'rebooted-build')
      await rig.reboot({ plug })
      expect(await host.ended(id)).toMatchObject({
        status: 'interrupted',
        error_class: 'interrupted',
      })
      expect([
        title,
        host.maintenance()?.['deploy_run_id'],
        await isActive('openclaw-doctor.timer'),
      ]).toEqual([title, id, 'inactive'])
      await rig.must(['systemctl', 'start', 'openclaw-doctor.service'])
      expect(await host.show('openclaw-doctor.service', 'ConditionResult')).toBe('no')
      await until(
        'what served to serve again',
        async () => (await host.serves())?.message === before?.message,
      )
      await nextGreen(plug ? 'five' : 'four')
    },
  )

  it('keeps only the images of the newest version and of the three green ones before it', async () => {
    await nextGreen('six')
    const tags = (await host.docker('image', 'ls', '--format', '{{.Tag}}', 'shop-web'))
      .split('\n')
      .toSorted()
    expect(tags).toEqual(
      green
        .slice(-4)
        .map(({ sha }) => sha)
        .toSorted(),
    )
    expect(green.length).toBeGreaterThan(4)
  })

  it('goes back to the last green commit by the same steps', async () => {
    const back = green.at(-2)
    const { code, out } = await rig.exec([...hqInside, 'rollback', '--json'], { seconds: 900 })
    const document = JSON.parse(out) as {
      overall: string
      target_sha: string
      steps: { status: string }[]
    }
    expect([
      code,
      document.overall,
      document.target_sha,
      document.steps.filter(({ status }) => status !== 'passed'),
    ]).toEqual([0, 'PASS', back?.sha, []])
    expect(await host.serves()).toEqual({ ok: true, message: back?.message, commit: back?.sha })
    expect([host.maintenance(), await isActive('openclaw-doctor.timer')]).toEqual([null, 'active'])
  })

  it('refuses to go back to a version whose image is gone, and changes nothing', async () => {
    const gone = green.at(-3)?.sha ?? ''
    const before = await host.running()
    await host.docker('image', 'rm', `shop-web:${gone}`)
    const { result } = await host.deploy('rollback', { to: gone })
    expect([result.overall, result.error_class, result.steps]).toEqual([
      'FAIL',
      'rollback_unavailable',
      [],
    ])
    expect([await host.running(), host.maintenance(), (await host.serves())?.message]).toEqual([
      before,
      null,
      green.at(-2)?.message,
    ])
  })

  it('finds Docker where it answers and an image that is here, and says what is missing', async () => {
    const settings = (): Record<string, unknown> =>
      JSON.parse(readFileSync(rig.path(paths.hostSettings), 'utf8')) as Record<string, unknown>
    await rig.write(
      paths.hostSettings,
      JSON.stringify({
        ...settings(),
        docker_socket: '/run/none.sock',
        base_image: 'node:24-none',
      }),
    )
    await host.docker('image', 'tag', rigBaseImage, 'node:24.9-slim')
    expect(await rig.exec([installer])).toMatchObject({
      code: 0,
      out: expect.stringContaining(`set socket and image of Docker in ${paths.hostSettings}`),
      err: nothingToChange.err,
    })
    expect(settings()).toMatchObject({
      docker_socket: '/run/docker.sock',
      base_image: 'node:24.9-slim',
      launcher: 'systemd',
    })
    expect(await rig.exec([installer])).toMatchObject(nothingToChange)
    await rig.must(['systemctl', 'stop', 'docker.socket', 'docker.service'])
    expect(await rig.exec([installer])).toMatchObject({
      ...nothingToChange,
      err: expect.stringMatching(
        /\nBefore the first deploy: Docker does not answer at \/run\/docker\.sock.*Start Docker/,
      ),
    })
  })

  it('refuses a clone of another repository', async () => {
    expect(await rig.exec([installer, '--origin', rig.origin.url('other.git')])).toMatchObject({
      code: 2,
      err: expect.stringContaining(
        `${paths.root} has the origin ${rig.origin.url('project.git')}, not`,
      ),
    })
  })
})
