import { createSocket } from 'node:dgram'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checksResult } from '#shared/result'
import { readHostSettings } from '#ops/core/config/settings-files'
import { composeEngine } from '#ops/host/engines/registry'
import { composeProject, startDocker } from './docker.ts'
import { traffic } from './compose-host.ts'
import { deployHost, type Deployed } from './host.ts'

/**
 * Whole deploys with the engine `compose`, through hostd, in the network namespace it was started in. Prints what came
 * of them as JSON.
 */
const docker = await startDocker({ net: process.argv[2] ?? '' })
const at = await deployHost({ message: 'first' }, { socket: true })
try {
  at.settings({
    docker_socket: docker.at.socket,
    base_image: docker.baseImage,
    service_ports: { web: at.ports.app },
    deploy_attempts: 1,
  })
  const config = {
    schema_version: 1,
    project: 'shop',
    engine: 'compose',
    tests: [
      { name: 'unit', argv: ['node', '--test'], report: { format: 'junit', path: 'junit.xml' } },
    ],
    services: [
      {
        name: 'web',
        port: 3000,
        health: { path: '/', commit_field: 'commit', timeout_seconds: 120 },
      },
    ],
    endpoints: [{ service: 'web', path: '/' }],
    routes: [{ path: '/api/runs' }],
  }
  const subnet = '198.19.255.0/24'
  const files = (message: string, more: object = {}): Record<string, string> => ({
    // B6: a fixed address, an optional dependency that is not there, and a job that ends.
    ...composeProject(message, {
      web: {
        depends_on: { debug: { condition: 'service_started', required: false } },
        networks: { back: { ipv4_address: '198.19.255.10' } },
        ...more,
      },
      services: {
        debug: { image: docker.baseImage, profiles: ['debug'] },
        job: { image: docker.baseImage, command: ['node', '-e', 'console.log("done")'] },
      },
      networks: { back: { ipam: { config: [{ subnet }] } } },
    }),
    'openclaw.config.json': `${JSON.stringify(config)}\n`,
  })
  const url = `http://127.0.0.1:${at.ports.app}/`
  const serves = async (): Promise<unknown> => await (await fetch(url)).json()
  const outcome = ({ result, dir, triage }: Deployed): object => ({
    overall: result.overall,
    step_failed: result.step_failed,
    error_class: result.error_class,
    engine: result.engine,
    unanswered_ms: result.unanswered_ms,
    containers: docker
      .run('ps', '--all', '--format', '{{.Names}} {{.State}}')
      .split('\n')
      .filter((name) => name.startsWith('shop-'))
      .toSorted(),
    steps: result.steps.map(({ name, status, detail }) => [name, status, detail]),
    first_error: triage?.first_error?.text ?? null,
    maintenance: at.maintenance() !== null,
    checks: existsSync(join(dir, 'verify_production.json'))
      ? checksResult
          .parse(JSON.parse(readFileSync(join(dir, 'verify_production.json'), 'utf8')))
          .checks.map(({ name, status, detail }) => [name, status, detail])
      : null,
  })

  const one = await at.ship({ message: 'one' }, { files: files('one') })
  const first = { sha: one, ...outcome(await at.deploy()), serves: await serves() }
  await at.ship({ message: 'open' }, { files: files('open', { ports: ['${PORT_WEB}:3000'] }) })
  const load = traffic(url)
  const open = { ...outcome(await at.deploy()), serves: await serves(), load: await load.stop() }
  const two = await at.ship({ message: 'two' }, { files: files('two') })
  const second = { sha: two, ...outcome(await at.deploy()), serves: await serves() }
  const listener = createSocket('udp4')
  await new Promise<void>((resolve) => {
    listener.bind(5000, '0.0.0.0', resolve)
  })
  const exposed = outcome(await at.deploy())
  listener.close()
  process.stdout.write(JSON.stringify({ first, open, second, exposed }))
} finally {
  await composeEngine.down({
    paths: at.host.paths,
    settings: readHostSettings(at.host.paths),
  })
  await at.remove()
  await docker.stop()
}
