import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { checksResult, type ChecksResult } from '#shared/result'
import { composeEngine } from '#ops/host/engines/registry'
import { readGuardLog, type GuardLine } from '#ops/features/guard/log'
import { takeLock } from '#ops/base/files/lock'
import { composeHost, type ComposeHost } from '../support/compose-host.ts'
import { composeProject, startDocker, whyNoDocker, type TestDocker } from '../support/docker.ts'
import { until } from '../support/rig/patience.ts'

const why = whyNoDocker()
if (why) console.warn(`Skipped, ${why}: guard and containers`)

describe.skipIf(why !== null)('guard, for containers,', () => {
  let docker: TestDocker
  let host: ComposeHost
  beforeAll(async () => {
    docker = await startDocker()
    host = await composeHost(docker)
    const migrate = {
      image: 'hq-test-base:24',
      command: ['node', '-e', 'require("node:fs").appendFileSync("/tmp/runs", "x")'],
    }
    await host.deploy(
      host.commit(
        composeProject('one', {
          healthTimeout: '5s',
          web: { depends_on: { migrate: { condition: 'service_completed_successfully' } } },
          services: { migrate },
        }),
      ),
    )
  })
  afterAll(async () => {
    await host?.remove()
    await docker?.stop()
  })
  beforeEach(async () => {
    await until('everything to be well', async () =>
      (await composeEngine.health(host.engineHost())).every(({ why }) => why === null),
    )
  })

  const guard = async (): Promise<ChecksResult> =>
    checksResult.parse((await host.hostd.client.startOrJoin('guard')).run.result)
  const lastLine = (): GuardLine | undefined => readGuardLog(host.host.paths, 1).lines[0]
  const service = ({ checks }: ChecksResult, name: string) =>
    checks.find((check) => check.name === `service:${name}`)
  const idOf = (name: string, project = 'shop'): string =>
    docker.run(
      'ps',
      '--all',
      '--quiet',
      '--no-trunc',
      '--filter',
      `label=com.docker.compose.project=${project}`,
      '--filter',
      `label=com.docker.compose.service=${name}`,
    )
  const inspect = (id: string, format: string): string =>
    docker.run('inspect', '--format', format, id)
  const startedAt = (id: string): string => inspect(id, '{{.State.StartedAt}}')
  /** The program itself; process 1 of the container only hands signals on. */
  const programOf = (id: string): number => {
    const pid = inspect(id, '{{.State.Pid}}')
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0])
  }

  it('restarts one that has ended, the very same, and no other', async () => {
    const [side, web] = [idOf('side'), idOf('web')]
    docker.run(
      'run',
      '--detach',
      '--name',
      'foreign',
      '--label',
      'com.docker.compose.project=other',
      '--label',
      'com.docker.compose.service=side',
      'hq-test-base:24',
      'node',
      '-e',
      'process.exit(1)',
    )
    const before = startedAt(web)
    docker.run('kill', side)
    const result = await guard()
    expect([result.overall, service(result, 'side')]).toMatchObject([
      'PASS',
      { status: 'WARN', remedy: 'restart_container' },
    ])
    expect(lastLine()).toMatchObject({
      remediations: [
        {
          remediation: 'restart_container',
          target: 'shop/side',
          outcome: 'applied',
          reason: 'shop-side-1 was restarted and is healthy',
        },
      ],
    })
    expect([idOf('side'), inspect(side, '{{.State.Running}}'), startedAt(web)]).toEqual([
      side,
      'true',
      before,
    ])
    expect(inspect('foreign', '{{.State.Running}} {{.State.ExitCode}}')).toBe('false 1')
    docker.run('rm', '--force', 'foreign')
  })

  it('restarts one that hangs, once it has had its time to start', async () => {
    const web = idOf('web')
    const stopped = programOf(web)
    process.kill(stopped, 'SIGSTOP')
    await until(
      'Docker to call it unhealthy',
      () => inspect(web, '{{.State.Health.Status}}') === 'unhealthy',
    )
    const result = await guard()
    expect([result.overall, service(result, 'web')]).toMatchObject([
      'PASS',
      { status: 'WARN', remedy: 'restart_container' },
    ])
    expect([idOf('web'), programOf(web) === stopped]).toEqual([web, false])
    expect(await host.web()).toMatchObject({ ok: true, message: 'one' })
  })

  it('leaves alone what is paused, and what a deploy is just switching', async () => {
    const side = idOf('side')
    docker.run('kill', side)
    docker.run('pause', idOf('web'))
    const switching = await takeLock(join(host.host.paths.locks, 'services.lock'), 1000)
    const result = await guard().finally(() => switching?.release())
    expect([service(result, 'side'), service(result, 'web')]).toMatchObject([
      { status: 'FAIL' },
      { status: 'FAIL', detail: expect.stringContaining('paused') as string },
    ])
    expect(lastLine()).toMatchObject({ remediations: [{ target: 'shop/side', outcome: 'left' }] })
    expect([
      inspect(side, '{{.State.Running}}'),
      inspect(idOf('web'), '{{.State.Status}}'),
    ]).toEqual(['false', 'paused'])
    docker.run('unpause', idOf('web'))
    expect((await guard()).overall).toBe('PASS')
  })

  it('touches no container of the project that does not run the recorded image', async () => {
    docker.run(
      'run',
      '--detach',
      '--name',
      'impostor',
      '--label',
      'com.docker.compose.project=shop',
      '--label',
      'com.docker.compose.service=side',
      '--label',
      'com.docker.compose.oneoff=False',
      'hq-test-base:24',
      'node',
      '-e',
      'process.exit(1)',
    )
    await until('it to have ended', () => inspect('impostor', '{{.State.Running}}') === 'false')
    const before = [startedAt('impostor'), startedAt(idOf('web'))]
    expect(service(await guard(), 'side')).toMatchObject({
      status: 'FAIL',
      detail: expect.stringContaining('does not run the recorded image') as string,
    })
    expect([startedAt('impostor'), startedAt(idOf('web')), lastLine()?.remediations]).toEqual([
      ...before,
      [],
    ])
    docker.run('rm', '--force', 'impostor')
  })

  it('never does the work of a one-shot again', async () => {
    const migrate = idOf('migrate')
    const before = startedAt(migrate)
    // Its record and its name say one-shot; made to have failed by a container that ends the same way with another exit
    // code.
    docker.run('rm', '--force', migrate)
    docker.run(
      'run',
      '--detach',
      '--name',
      'shop-migrate-1',
      '--label',
      'com.docker.compose.project=shop',
      '--label',
      'com.docker.compose.service=migrate',
      '--label',
      'com.docker.compose.oneoff=False',
      'hq-test-base:24',
      'node',
      '-e',
      'process.exit(3)',
    )
    await until(
      'it to have ended',
      () => inspect('shop-migrate-1', '{{.State.Running}}') === 'false',
    )
    const failed = startedAt('shop-migrate-1')
    const result = await guard()
    expect(service(result, 'migrate')).toMatchObject({
      status: 'FAIL',
      detail: expect.stringContaining('must not do it twice') as string,
    })
    expect([startedAt('shop-migrate-1'), failed === before]).toEqual([failed, false])
    expect(lastLine()?.remediations).toEqual([])
    docker.run('rm', '--force', 'shop-migrate-1')
  })
})
