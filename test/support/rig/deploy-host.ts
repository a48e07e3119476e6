import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { ActionId } from '#shared/actions'
import { deployResult, triage, type DeployResult, type Triage } from '#shared/result'
import type { RunDetail } from '#shared/api'
import { composeProject, webDockerfile } from '../docker.ts'
import { hostOf, installer, productionPaths as paths, type RigHost } from './host.ts'
import { makeLaptop, type Laptop, type ShipOptions } from './laptop.ts'
import { packageInside, type Rig } from './rig.ts'

export const rigBaseImage = 'hq-test-base:24'
/** Where the sample app answers, inside. */
export const appPort = 3000
const project = 'shop'

/** Node with the libraries it needs, from the machine's own tree, as an image: no registry is in reach. */
const baseImageScript = `set -eu
cd "$(mktemp -d)"
node="$(readlink -f "$1")"
mkdir -p usr/bin tmp etc
cp "$node" usr/bin/node
for library in $(ldd "$node" | grep -o '/[^ )]*'); do
  mkdir -p ".$(dirname "$library")"; cp -L "$library" ".$library"
done
tar -c . | docker import --change 'ENV PATH=/usr/bin' - ${rigBaseImage}
rm -rf "$PWD"
`

const config = (more: object = {}): object => ({
  schema_version: 1,
  project,
  engine: 'compose',
  tests: [
    { name: 'unit', argv: ['node', '--test'], report: { format: 'junit', path: 'junit.xml' } },
  ],
  services: [
    {
      name: 'web',
      port: appPort,
      health: { path: '/', commit_field: 'commit', timeout_seconds: 120 },
    },
  ],
  endpoints: [{ service: 'web', path: '/' }],
  routes: [{ path: '/api/status' }, { path: '/api/project/state' }],
  ...more,
})

/** What a version of the sample app differs in; `message` crash and sick are versions that must never serve. */
export interface AppVersion {
  /** Settings of the service `web` in the compose file. */
  readonly web?: object
  readonly services?: Record<string, object | null>
  readonly files?: Readonly<Record<string, string>>
  /** Fields of openclaw.config.json. */
  readonly config?: object
}

/** A compose service as a host runs it: up again after a reboot. */
const lasting = { restart: 'unless-stopped' }

/** Files of the sample app: `web`, which answers on loopback, and `side`, which does not change with the commit. */
export const appFiles = (
  message: string,
  { web = {}, services = {}, files = {}, config: more = {} }: AppVersion = {},
): Record<string, string> => ({
  ...composeProject(message, {
    web: { ...lasting, ...web },
    services: { side: { build: './side', init: true, ...lasting }, ...services },
  }),
  'openclaw.config.json': `${JSON.stringify(config(more), null, 2)}\n`,
  'docs/OPENCLAW_NEXT.md': '# Next action\n\n- Greet the operator by name\n',
  ...files,
})

/** Files of a version whose image cannot be built, or is built for ever; `word` is what the build prints first. */
export const brokenBuild = (word: string): Record<string, string> => ({
  'web/Dockerfile': `${webDockerfile}RUN ["node", "-e", "console.error('Error: ${word}'); process.exit(3)"]\n`,
})
export const endlessBuild = (word: string): Record<string, string> => ({
  'web/Dockerfile': `${webDockerfile}RUN ["node", "-e", "console.log('${word}'); setTimeout(() => {}, 3600000)"]\n`,
})

/** A deploy or rollback that has ended, with what it left. */
export interface Ended {
  readonly run: RunDetail
  readonly result: DeployResult
  readonly triage: Triage | null
}

const container = z.looseObject({ id: z.string(), service: z.string() })

/** An installed host with Docker, an origin it may only read, and the operator who ships to it. */
export interface DeployHost extends RigHost {
  readonly rig: Rig
  readonly laptop: Laptop
  /** Ships a version of the sample app. @returns the commit */
  ship(message: string, version?: AppVersion, options?: ShipOptions): Promise<string>
  /**
   * Starts an action through hostd with its parameters. @returns the run, which others may have started: then it is
   * joined
   */
  begin(action: ActionId, params?: Record<string, unknown>): Promise<string>
  /** Waits for a deploy or rollback, at most `seconds`; default a quarter of an hour. */
  outcome(id: string, seconds?: number): Promise<Ended>
  /** Starts a deploy (or rollback) and waits for it. */
  deploy(
    action?: 'deploy_and_verify' | 'rollback',
    params?: Record<string, unknown>,
  ): Promise<Ended>
  /** What the sample app answers; null when nothing answers. */
  serves(): Promise<{ ok: boolean; message: string; commit: string } | null>
  docker(...args: string[]): Promise<string>
  /** Service to the id of the container that runs it. */
  running(): Promise<Record<string, string>>
  /** Lines of a run's log so far, as text. */
  log(id: string): string
  /** Asks the sample app 50 times a second until it is stopped. */
  load(): Promise<{ stop(): Promise<{ sent: number; failed: number }> }>
  /** The host's maintenance file; null when there is none. */
  maintenance(): Record<string, unknown> | null
}

const loadScript = `
const { get } = require('node:http')
const { existsSync } = require('node:fs')
let sent = 0, failed = 0, open = 0
const one = () => {
  sent += 1; open += 1
  let over = false
  const done = (good) => { if (over) return; over = true; open -= 1; if (!good) failed += 1 }
  const to = { host: '127.0.0.1', port: ${appPort}, path: '/', agent: false, timeout: 30000 }
  const request = get(to, (answer) => {
    answer.resume()
    answer.on('end', () => done(answer.statusCode === 200))
    answer.on('error', () => done(false))
  })
  request.on('timeout', () => request.destroy(new Error('late'))); request.on('error', () => done(false))
}
const timer = setInterval(() => {
  if (!existsSync(process.argv[1])) one()
  else if (open === 0) { clearInterval(timer); console.log(JSON.stringify({ sent, failed })) }
}, 20)`

/**
 * Makes a fresh rig a host as an operator would: Docker with the base image, the clone, the installation, the host's
 * own settings, the enrolled ship key. Nothing has been deployed yet.
 * @param env of the installation
 */
export async function prepareDeployHost(
  rig: Rig,
  env: Readonly<Record<string, string>> = {},
): Promise<DeployHost> {
  const page = join(rig.package, 'out', 'renderer')
  if (!existsSync(join(page, 'index.html'))) {
    mkdirSync(page, { recursive: true })
    writeFileSync(join(page, 'index.html'), '<!doctype html><title>HQ</title>')
  }
  const node = `${packageInside}/node_modules/.bin/node`
  await rig.must(['sh', '-c', baseImageScript, 'sh', node])
  const laptop = await makeLaptop(rig, appFiles('baseline'))
  await rig.write(
    paths.hostSettings,
    JSON.stringify({
      schema_version: 1,
      base_image: rigBaseImage,
      deploy_attempts: 2,
      deploy_backoff_seconds: 0.1,
      disk_warn_percent: 99,
      disk_fail_percent: 100,
    }),
  )
  await rig.must([installer, '--origin', rig.origin.url('project.git')], { env })
  await rig.write(paths.trustFile, JSON.stringify(laptop.trust))
  const host = deployHostOf(rig, laptop)
  const enrolled = await host.ended(
    await host.begin('trust_ship_key', { public_key: laptop.shipKey, label: 'laptop of the rig' }),
  )
  if (enrolled.status !== 'passed')
    throw new Error(`the ship key was not enrolled: ${JSON.stringify(enrolled)}`)
  return host
}

/** Handles of a host that was prepared. */
export function deployHostOf(rig: Rig, laptop: Laptop): DeployHost {
  const host = hostOf(rig)
  const node = `${packageInside}/node_modules/.bin/node`
  const read = (path: string): string | null => {
    try {
      return readFileSync(rig.path(path), 'utf8')
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
      throw error
    }
  }
  const json = (path: string): unknown => JSON.parse(read(path) ?? 'null') as unknown
  let loads = 0
  const made: DeployHost = {
    ...host,
    rig,
    laptop,
    ship: async (message, version, options) =>
      await laptop.ship(appFiles(message, version), options),
    begin: async (action, params = {}) => {
      const { status, body } = await host.api('/api/exec', {
        method: 'POST',
        body: { action, params },
      })
      if (status !== 202 && status !== 409)
        throw new Error(`${action} was not started: ${status} ${JSON.stringify(body)}`)
      return String(status === 202 ? body['run_id'] : body['active_run_id'])
    },
    outcome: async (id, seconds = 900) => {
      const run = await host.ended(id, seconds)
      return {
        run,
        result: deployResult.parse(run.result),
        triage: triage.nullable().parse(json(`${paths.artifacts}/deploy/${id}/triage.json`)),
      }
    },
    deploy: async (action = 'deploy_and_verify', params = {}) =>
      await made.outcome(await made.begin(action, params)),
    serves: async () => {
      const { code, out } = await rig.exec([
        'curl',
        '-s',
        '--max-time',
        '30',
        `http://127.0.0.1:${appPort}/`,
      ])
      return code === 0
        ? (JSON.parse(out) as { ok: boolean; message: string; commit: string })
        : null
    },
    docker: async (...args) => (await rig.must(['docker', ...args])).trim(),
    running: async () => {
      const lines = (
        await made.docker(
          'ps',
          '--no-trunc',
          '--format',
          '{"id":"{{.ID}}","service":"{{.Label "com.docker.compose.service"}}"}',
        )
      )
        .split('\n')
        .filter((line) => line !== '')
      return Object.fromEntries(
        lines.map((line) => {
          const { id, service } = container.parse(JSON.parse(line))
          return [service, id]
        }),
      )
    },
    log: (id) => read(`${paths.runs}/${id}/log.ndjson`) ?? '',
    load: async () => {
      const stopFile = `/run/load-${(loads += 1)}`
      await rig.must(['rm', '-f', stopFile])
      const ended = rig.must([node, '-e', loadScript, stopFile], { seconds: 900 })
      ended.catch(() => undefined) // stop() tells
      return {
        stop: async () => {
          await rig.must(['touch', stopFile])
          return z
            .strictObject({ sent: z.number(), failed: z.number() })
            .parse(JSON.parse(await ended))
        },
      }
    },
    maintenance: () => json(paths.maintenance) as Record<string, unknown> | null,
  }
  return made
}
