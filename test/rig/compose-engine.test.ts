import { createServer } from 'node:net'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { adminTokenHeader } from '#shared/api'
import { firstError } from '#ops/core/pipeline/first-error'
import { composeEngine } from '#ops/host/engines/registry'
import { markGreen, readComposeRecord } from '#ops/host/engines/compose/record'
import { consoleContainer, containerIds, freezeWeb } from '../support/compose-containers.ts'
import { composeHost, traffic, type ComposeHost } from '../support/compose-host.ts'
import {
  composeProject as anyProject,
  startDocker,
  webDockerfile,
  whyNoDocker,
  type TestDocker,
} from '../support/docker.ts'
import { until } from '../support/rig/patience.ts'

const why = whyNoDocker()
if (why) console.warn(`Skipped, ${why}: the compose engine on a real Docker`)

/** Its `web` is found out soon when it is stopped. */
const composeProject = (
  message: string,
  more: Parameters<typeof anyProject>[1] = {},
): Record<string, string> => anyProject(message, { healthTimeout: '5s', ...more })

describe.skipIf(why !== null)('the compose engine on a real Docker', () => {
  let docker: TestDocker
  let host: ComposeHost
  beforeAll(async () => {
    docker = await startDocker()
    host = await composeHost(docker)
  })
  afterAll(async () => {
    await host?.remove()
    await docker?.stop()
  })

  const ids = (): Record<string, string> => containerIds(docker)
  const expectServes = async (message: string, sha: string): Promise<void> =>
    expect(await host.web()).toEqual({ ok: message !== 'sick', message, commit: sha })
  let first = ''

  it('brings a project up from nothing, with the console, and knows what runs', async () => {
    first = host.commit(composeProject('one'))
    const { up } = await host.deploy(first)
    expect(up).toEqual({
      changed: ['side', 'web', 'console'],
      unchanged: [],
      stopped: [],
      unansweredMs: null,
      written: [],
    })
    await expectServes('one', first)
    expect(
      (await composeEngine.health(host.engineHost())).map(({ name, kind, alive, why }) => ({
        name,
        kind,
        alive,
        why,
      })),
    ).toEqual([
      { name: 'openclaw-console', kind: 'console', alive: true, why: null },
      { name: 'side', kind: 'project', alive: true, why: null },
      { name: 'web', kind: 'project', alive: true, why: null },
    ])
    expect(await composeEngine.ports(host.engineHost())).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ protocol: 'tcp', address: '127.0.0.1', port: host.ports.web }),
      ]),
    )
    expect(
      (await composeEngine.running(host.engineHost(), { sha: first, digest: null })).wrong,
    ).toEqual([])
    expect(
      (await composeEngine.running(host.engineHost(), { sha: 'f'.repeat(40), digest: null })).wrong,
    ).toEqual([`shop was brought up as ${first}, not ${'f'.repeat(40)}`])
  })

  it("reaches hostd from the console's container with the caller's token, and refuses without", async () => {
    const fetchAs = (path: string, token?: string) =>
      fetch(
        `http://127.0.0.1:${host.ports.console}${path}`,
        token === undefined ? {} : { headers: { [adminTokenHeader]: token } },
      )
    expect(await (await fetchAs('/api/dod/last', host.host.token)).json()).toMatchObject({
      ok: expect.any(Boolean) as boolean,
    })
    expect((await fetchAs('/api/dod/last')).status).toBe(403)
    writeFileSync(join(host.host.paths.artifacts, 'proof.txt'), 'proof', { mode: 0o644 })
    expect(await (await fetchAs('/api/artifacts/proof.txt', host.host.token)).text()).toBe('proof')
    expect((await fetchAs('/api/artifacts/proof.txt', 'wrong')).status).toBe(403)
    expect(await (await fetchAs('/')).text()).toContain('HQ loaded')
    expect(await (await fetchAs('/openclaw-mode.json')).json()).toEqual({ mode: 'console' })
  })

  it('gives the console no more than it needs', () => {
    const console = consoleContainer(docker)
    expect(console.HostConfig).toMatchObject({
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Privileged: false,
      PortBindings: { '8787/tcp': [{ HostIp: '127.0.0.1', HostPort: String(host.ports.console) }] },
    })
    expect(console.Config.User).toMatch(/^65532:/)
    expect(
      Object.fromEntries(console.Mounts.map(({ Destination, RW }) => [Destination, RW])),
    ).toEqual({ '/run/openclaw/public': false, '/var/openclaw_artifacts': false })
  })

  it('touches nothing when nothing changed', async () => {
    const before = ids()
    const { up } = await host.deploy(first)
    expect(up).toEqual({
      changed: [],
      unchanged: ['side', 'web', 'console'],
      stopped: [],
      unansweredMs: null,
      written: [],
    })
    expect(ids()).toEqual(before)
  })

  const webState = (format: string): string =>
    docker.run('inspect', '--format', format, ids()['shop/web'] ?? '')

  it.each<[string, () => void | Promise<void>]>([
    ['answers no more, before any health check has noticed', () => freezeWeb(docker)],
    [
      'Docker calls unhealthy',
      async () => {
        freezeWeb(docker)
        await until(
          'web to be unhealthy',
          () => webState('{{.State.Health.Status}}') === 'unhealthy',
        )
      },
    ],
    [
      'is paused',
      () => {
        docker.run('pause', ids()['shop/web'] ?? '')
      },
    ],
  ])(
    'creates a container again that %s, although nothing of its version changed',
    async (_what, spoil) => {
      const before = ids()
      await spoil()
      const { up } = await host.deploy(first)
      expect(up).toMatchObject({ changed: ['web'], unchanged: ['side', 'console'] })
      await expectServes('one', first)
      expect(webState('{{.State.Status}} {{.State.Health.Status}}')).toBe('running healthy')
      expect({ ...ids(), 'shop/web': null }).toEqual({ ...before, 'shop/web': null })
    },
  )

  it('replaces the console alone when only HQ changed', async () => {
    const before = ids()
    writeFileSync(
      join(host.install, 'out', 'renderer', 'index.html'),
      '<!doctype html><title>A newer HQ</title>',
    )
    const { up, log } = await host.deploy(first)
    expect(up).toMatchObject({ changed: ['console'], unchanged: ['side', 'web'] })
    expect(log).toContain('console: the new version is healthy beside the old one')
    expect(await (await fetch(`http://127.0.0.1:${host.ports.console}/`)).text()).toContain(
      'A newer HQ',
    )
    expect(ids()['shop/web']).toBe(before['shop/web'])
  })

  it('replaces only the service that changed, and says how long nothing answered', async () => {
    const before = ids()
    const second = host.commit(composeProject('two'))
    const { up, log } = await host.deploy(second)
    first = second
    expect(up).toMatchObject({ changed: ['web'], unchanged: ['side', 'console'], stopped: [] })
    expect(up.unansweredMs).toBeGreaterThan(0)
    expect(log).toContain('web: the new version is healthy beside the old one')
    await expectServes('two', second)
    const after = ids()
    expect(after['shop/side']).toBe(before['shop/side'])
    expect(after['shop/web']).not.toBe(before['shop/web'])
    expect(
      (await composeEngine.running(host.engineHost(), { sha: second, digest: null })).wrong,
    ).toEqual([])
  })

  it.each([
    [
      'a failing build',
      () =>
        composeProject('three', {
          web: { build: { context: './web', network: 'none' } },
          files: { 'web/Dockerfile': `${webDockerfile}RUN ["node", "-e", "process.exit(3)"]\n` },
        }),
      'docker_compose_failed',
    ],
    ['a failing health check', () => composeProject('sick'), 'service_unhealthy'],
    ['a program that does not start', () => composeProject('crash'), 'service_unhealthy'],
    [
      'an image that cannot be had',
      () => composeProject('four', { services: { db: { image: 'no-such-image.invalid/db:1' } } }),
      'docker_compose_failed',
    ],
    [
      'a public port',
      () => composeProject('five', { web: { ports: ['${PORT_WEB}:3000'] } }),
      'public_port',
    ],
    [
      'a privileged container',
      () =>
        composeProject('six', {
          services: { tool: { image: 'hq-test-base:24', privileged: true } },
        }),
      'public_port',
    ],
    [
      'a compose file that Compose refuses',
      () => ({ ...composeProject('seven'), 'compose.yaml': 'services: {web: {imag: x}}' }),
      'docker_compose_failed',
    ],
    [
      'a service without its port',
      () => composeProject('eight', { web: { ports: [] } }),
      'config_invalid',
    ],
  ])('loses no request for %s: the old version serves on', async (_what, files, errorClass) => {
    const before = ids()
    const sha = host.commit(files())
    const load = traffic(`http://127.0.0.1:${host.ports.web}/`)
    await expect(host.deploy(sha)).rejects.toMatchObject({ errorClass })
    const { sent, failed } = await load.stop()
    expect(sent).toBeGreaterThanOrEqual(25)
    expect(failed).toBe(0)
    await expectServes('two', first)
    expect(ids()).toEqual(before)
  })

  it('names the image that cannot be built, and why, when others are built for the same version', async () => {
    const slow =
      'FROM hq-test-base:24\n' +
      'RUN ["node", "-e", "setTimeout(() => 0, 3000)"]\n' +
      'CMD ["node", "-e", "setInterval(() => 0, 1000)"]\n'
    const sha = host.commit(
      composeProject('ten', {
        services: { side: { build: { context: './side', network: 'none' } } },
        files: {
          'side/Dockerfile': slow,
          'web/Dockerfile': `${webDockerfile}COPY no-such-file.txt /srv/\n`,
        },
      }),
    )
    await expect(host.deploy(sha)).rejects.toMatchObject({
      errorClass: 'docker_compose_failed',
      message: expect.stringMatching(
        /^Build of web failed, the running version is untouched: /,
      ) as string,
    })
    expect(host.log.join('\n')).not.toMatch(/CANCELED|only one connection allowed/)
    expect(firstError(host.log.join('\n'))?.text).toContain('no-such-file.txt')
  })

  it('brings the old version back when the new one fails only in its place', async () => {
    // It writes to a volume, so it cannot be tried beside the old one.
    const web = { volumes: ['data:/data'] }
    const withVolume = (message: string): Record<string, string> => {
      const files = composeProject(message, { web })
      return {
        ...files,
        'compose.yaml': JSON.stringify({
          ...JSON.parse(files['compose.yaml'] ?? ''),
          volumes: { data: {} },
        }),
      }
    }
    first = host.commit(withVolume('with a volume'))
    await host.deploy(first)
    await expect(host.deploy(host.commit(withVolume('sick')))).rejects.toMatchObject({
      errorClass: 'service_unhealthy',
      message: expect.stringContaining(
        'The previous version was started again and answers.',
      ) as string,
    })
    expect(host.log).toContainEqual(
      expect.stringContaining('which two versions at once could spoil'),
    )
    await expectServes('with a volume', first)
    expect(readComposeRecord(host.host.paths, 'shop')?.sha).toBe(first)
    expect(
      (await composeEngine.running(host.engineHost(), { sha: first, digest: null })).wrong,
    ).toEqual([])
  })

  it('refuses a port that another program has, and touches nothing', async () => {
    const server = createServer()
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
    const before = ids()
    try {
      await expect(
        host.deploy(
          host.commit(
            composeProject('nine', {
              services: {
                extra: {
                  image: 'hq-test-base:24',
                  command: ['node', '-e', 'setInterval(() => 0, 1000)'],
                  ports: [`127.0.0.1:${port}:80`],
                },
              },
            }),
          ),
        ),
      ).rejects.toMatchObject({
        errorClass: 'port_in_use',
        message: expect.stringContaining(`process ${process.pid} (`) as string,
      })
    } finally {
      server.close()
    }
    expect(ids()).toEqual(before)
  })

  it('runs a migration once, before what depends on it, and removes services no longer named', async () => {
    const migrate = { image: 'hq-test-base:24', command: ['node', '-e', 'console.log("migrated")'] }
    const sha = host.commit(
      composeProject('migrated', {
        web: { depends_on: { migrate: { condition: 'service_completed_successfully' } } },
        services: { migrate, side: null },
      }),
    )
    const { up } = await host.deploy(sha)
    expect(up).toMatchObject({ changed: ['migrate', 'web'], stopped: ['side'] })
    await expectServes('migrated', sha)
    expect(Object.keys(ids()).toSorted()).toEqual(['openclaw-console/console', 'shop/web'])
    expect((await composeEngine.health(host.engineHost())).every(({ why }) => why === null)).toBe(
      true,
    )
    const again = await host.deploy(sha)
    expect(again.up).toMatchObject({ changed: [], unchanged: ['migrate', 'web', 'console'] })
    first = sha
  })

  it('keeps the images of the last three green versions, whatever else is pruned', async () => {
    const green: string[] = []
    for (const message of ['g1', 'g2', 'g3', 'g4']) {
      const sha = host.commit(composeProject(message, { services: { side: null } }))
      await host.deploy(sha)
      markGreen(host.host.paths, 'shop', sha)
      green.push(sha)
    }
    const failed = host.commit(composeProject('crash', { services: { side: null } }))
    await expect(host.deploy(failed)).rejects.toMatchObject({ errorClass: 'service_unhealthy' })
    const last = host.commit(composeProject('last', { services: { side: null } }))
    await host.deploy(last)
    const tags = docker.run('image', 'ls', '--format', '{{.Tag}}', 'shop-web').split('\n')
    expect(tags).toEqual(expect.arrayContaining([...green.slice(1), last]))
    expect(tags).not.toContain(green[0])
    expect(tags).not.toContain(failed)
    expect(() => markGreen(host.host.paths, 'shop', failed)).toThrow(/cannot be recorded as green/)
    // A rollback is a deploy of that commit: its image is there, so nothing is built again.
    const { up, log } = await host.deploy(green[2] ?? '')
    expect(up.changed).toEqual(['web'])
    expect(log.filter((line) => line.startsWith('building'))).toEqual([])
    await expectServes('g3', green[2] ?? '')
    first = green[2] ?? ''
  })

  it('finds a container that was replaced by somebody else, and one that ended', async () => {
    docker.run('tag', 'hq-test-base:24', `shop-web:${first}`)
    expect(
      (await composeEngine.running(host.engineHost(), { sha: first, digest: null })).wrong,
    ).toEqual([
      expect.stringMatching(
        /^the image of web for [0-9a-f]{12} is [0-9a-f]{12}, not [0-9a-f]{12}$/,
      ),
    ])
    docker.run('kill', ids()['shop/web'] ?? '')
    expect(
      (await composeEngine.health(host.engineHost())).find(({ name }) => name === 'web'),
    ).toMatchObject({ alive: false, why: 'its container exited with exit code 137' })
  })

  it('goes down as a whole', async () => {
    await composeEngine.down(host.engineHost())
    expect(docker.run('ps', '--all', '--quiet')).toBe('')
    expect(await host.web()).toBeNull()
  })
})
