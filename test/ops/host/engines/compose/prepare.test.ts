import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { toProblem, type Problem } from '#shared/errors'
import { hostPaths } from '#ops/base/paths/paths'
import { readHostSettings } from '#ops/core/config/settings-files'
import { mountRules } from '#ops/host/engines/common/host-docker'
import { whyNoCandidate } from '#ops/host/engines/compose/candidate'
import { composeModel } from '#ops/host/engines/compose/model'
import { prepare } from '#ops/host/engines/compose/prepare'
import { withoutAbsent } from '#ops/host/engines/compose/source'
import { waitUntilSettled } from '#ops/host/engines/compose/wait-until-settled'
import type { Container } from '#ops/platform/docker/containers'
import { noExceptions } from '#ops/platform/net/exposure'

function hasCompose(): boolean {
  try {
    execFileSync('docker', ['compose', 'version'], { stdio: 'ignore' })
    return true
  } catch {
    return false // not installed
  }
}

let dir: string
let folder: string
let server: Server
/** What the daemon answers, by path; everything else is not there. */
let daemon: Record<string, object>
beforeEach(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'prepare-')))
  folder = join(dir, 'state', 'builds', 'one')
  mkdirSync(folder, { recursive: true })
  daemon = { '/info': { DockerRootDir: '/srv/docker' } }
  server = createServer(({ url = '' }, response) => {
    const found = daemon[url]
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify(found ?? { message: 'no such thing' }))
  })
  await new Promise<void>((resolve) => {
    server.listen(join(dir, 'docker.sock'), resolve)
  })
})
afterEach(() => {
  server.close()
  rmSync(dir, { recursive: true, force: true })
})

/** Prepares a version until it is refused. The service that nobody has ends what was judged harmless. */
async function refusal(compose: object): Promise<Problem> {
  writeFileSync(join(folder, 'compose.yaml'), JSON.stringify(compose))
  const paths = hostPaths({
    OPENCLAW_ROOT: join(dir, 'clone'),
    OPENCLAW_ETC: join(dir, 'etc'),
    OPENCLAW_STATE: join(dir, 'state'),
  })
  const host = { paths, settings: readHostSettings(paths) }
  const source = {
    project: 'shop',
    kind: 'project' as const,
    folder,
    files: ['compose.yaml'],
    version: '0'.repeat(40),
    sha: null,
    digest: '0'.repeat(64),
    env: {},
    services: [
      {
        name: 'nobody',
        port: 1,
        health: { path: '/', commit_field: null, timeout_seconds: 1 },
      },
    ],
  }
  const rules = { exceptions: noExceptions, mounts: mountRules(host, folder) }
  const at = { socket: join(dir, 'docker.sock') }
  return await prepare({ at, source, old: undefined, rules }, { log: () => undefined }).then(
    () => {
      throw new Error('nothing was refused')
    },
    (error: unknown) => toProblem(error),
  )
}
const web = (more: object): object => ({ services: { web: { image: 'web', ...more } } })

describe('B6 what cannot be tried beside the version that runs', () => {
  it('is a service with a fixed address', () => {
    const container = {
      State: { Running: true },
      Config: { Labels: { 'com.docker.compose.service': 'web' } },
    }
    const before = [container] as unknown as Container[]
    const why = (networks: object): string | null =>
      whyNoCandidate(
        {
          model: composeModel.parse({
            name: 'shop',
            services: { web: { image: 'web', networks } },
          }),
          oneShots: new Set(),
          before,
        },
        'web',
      )
    expect(why({ back: null, front: { aliases: ['x'] } })).toBeNull()
    for (const address of [
      { ipv4_address: '10.0.0.2' },
      { ipv6_address: 'fd00::2' },
      { mac_address: '02:42:ac:11:65:43' },
      { link_local_ips: ['169.254.1.1'] },
    ])
      expect(why({ back: address })).toBe('it has a fixed address in the network back')
  })
})

it('B6 a service without an address may be a job that ends with 0; any other end is a failure', async () => {
  const ended = (ExitCode: number): Container =>
    ({ Id: 'x', State: { Status: 'exited', Running: false, ExitCode } }) as Container
  const settled = (exitCode: number, more: object): Promise<string> =>
    waitUntilSettled(
      { socket: join(dir, 'docker.sock') },
      { title: 'job', find: () => Promise.resolve([ended(exitCode)]), seconds: 1, ...more },
    ).then(
      () => 'up',
      () => 'failed',
    )
  expect(await settled(0, { mayEnd: true })).toBe('up')
  expect(await settled(1, { mayEnd: true })).toBe('failed')
  expect(await settled(0, {})).toBe('failed')
})

it('B6 leaves out an optional dependency on a service of an inactive profile, and no other one', () => {
  const dependency = (required: boolean): object => ({ condition: 'service_started', required })
  const text = JSON.stringify({
    name: 'shop',
    services: {
      web: {
        depends_on: { debug: dependency(false), db: dependency(false), gone: dependency(true) },
      },
      db: { image: 'db' },
    },
  })
  expect(JSON.parse(withoutAbsent(text))).toEqual({
    name: 'shop',
    services: {
      web: { depends_on: { db: dependency(false), gone: dependency(true) } },
      db: { image: 'db' },
    },
  })
})

describe.skipIf(!hasCompose())('G10 a compose file, rendered and judged', () => {
  it('lets pass what is common', async () => {
    const found = await refusal({
      services: {
        web: {
          build: '.',
          ports: ['127.0.0.1:8080:80'],
          volumes: ['data:/data', './static:/static:ro', '/srv/shop:/shop'],
          labels: { a: 'b' },
          healthcheck: { test: 'true' },
          depends_on: ['db'],
          logging: { driver: 'json-file', options: { 'max-size': '1m' } },
          deploy: { resources: { limits: { memory: '64m' } } },
        },
        db: { image: 'db', tmpfs: '/tmp', ulimits: { nofile: 100 }, networks: ['back'] },
      },
      networks: { back: { internal: true } },
      volumes: { data: {} },
    })
    expect([found.errorClass, found.message]).toEqual([
      'config_invalid',
      expect.stringContaining('nobody'),
    ])
  })

  it('names where it is written, the code and what helps', async () => {
    const found = await refusal({
      ...web({ volumes: ['data:/data'] }),
      volumes: { data: { driver_opts: { type: 'proc', device: 'proc' } } },
    })
    expect(found.errorClass).toBe('public_port')
    expect(found.message).toMatch(/Nothing was built, stopped or started\.$/)
    expect(found.evidence).toEqual([
      'compose.yaml#/volumes/data/driver_opts: special_volume proc proc',
      expect.stringMatching(/^Remedy for special_volume: Use a named volume/),
    ])
  })

  it('refuses a volume that exists with mount options, whatever the file says of it', async () => {
    const named = { ...web({ volumes: ['data:/data'] }), volumes: { data: {} } }
    expect((await refusal(named)).errorClass).toBe('config_invalid')
    daemon['/volumes/shop_data'] = {
      Name: 'shop_data',
      Driver: 'local',
      Options: { type: 'overlay', device: 'overlay', o: 'lowerdir=/etc' },
    }
    expect((await refusal(named)).evidence[0]).toContain('special_volume overlay overlay')
  })

  it('refuses a committed link that leads out of the version, and the data of Docker', async () => {
    symlinkSync('/etc', join(folder, 'config'))
    const out = await refusal(web({ volumes: ['./config/new:/x:ro'] }))
    expect(out.evidence[0]).toBe(
      `compose.yaml#/services/web/volumes/0: host_mount ${folder}/config/new`,
    )
    const data = await refusal(web({ volumes: ['/srv/docker/volumes:/x'] }))
    expect(data.evidence[0]).toContain('host_mount /srv/docker/volumes')
  })

  it.each([
    ['git', 'https://example.invalid/shop.git'],
    ['OCI', 'oci://example.invalid/shop:latest'],
  ])('does not fetch a file from a %s address', async (kind, address) => {
    const found = await refusal({ ...web({}), include: [address] })
    expect(found.errorClass).toBe('docker_compose_failed')
    expect(found.message).toMatch(new RegExp(`${kind} remote resource is disabled`, 'i'))
  })
})
