/** What one version of the sample app does; each fault is one that a deploy must stop at. */
export interface SampleVersion {
  readonly message: string
  readonly build?: 'good' | 'broken' | 'endless'
  /** `sick`: its health says ok:false. `dies`: it ends at once. */
  readonly health?: 'good' | 'sick' | 'dies'
  readonly endpoint?: 'good' | 'not_ok'
  readonly listen?: 'loopback' | 'everywhere'
  /** `only_as_candidate`: well on any port but the configured one, so that the switch itself fails. */
  readonly works?: 'always' | 'only_as_candidate'
  /** What it is given to get healthy. Default: long for one that will, short for one that will not. */
  readonly startSeconds?: number
}

const server = (
  { health = 'good', endpoint = 'good', listen = 'loopback', works = 'always' }: SampleVersion,
  port: number,
): string => `
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
const message = readFileSync(new URL('./dist/message.txt', import.meta.url), 'utf8')
const commit = process.env.OPENCLAW_GIT_HEAD
if (${JSON.stringify(health)} === 'dies') { console.error('Error: the database is not there'); process.exit(1) }
const sick =
  ${JSON.stringify(health)} === 'sick' ||
  (${JSON.stringify(works)} === 'only_as_candidate' && process.env.PORT === ${JSON.stringify(String(port))})
createServer((request, response) => {
  const json = (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (request.url === '/api/health') return json({ ok: !sick, commit })
  if (request.url === '/api/message') return json({ ok: ${JSON.stringify(endpoint)} === 'good', message })
  response.writeHead(404).end()
}).listen(Number(process.env.PORT), ${listen === 'loopback' ? 'process.env.HOST' : "'0.0.0.0'"})
`

const build = (kind: 'good' | 'broken' | 'endless'): string => `
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
if (${JSON.stringify(kind)} === 'broken') {
  console.error('message.txt:1:1: error: the message is not allowed')
  process.exit(3)
}
if (${JSON.stringify(kind)} === 'endless') await new Promise((resolve) => setTimeout(resolve, 3_600_000))
mkdirSync('dist', { recursive: true })
writeFileSync('dist/message.txt', readFileSync('message.txt'))
console.log('built dist/message.txt')
`

/** The files of a small web app without dependencies. @param port the configured port of the host it is for */
export function sampleApp(version: SampleVersion, port: number): Record<string, string> {
  const {
    startSeconds = version.health === 'sick' ? 3 : version.works === 'only_as_candidate' ? 8 : 60,
  } = version
  const config = {
    schema_version: 1,
    project: 'sample',
    tests: [
      { name: 'unit', argv: ['node', '--test'], report: { format: 'junit', path: 'junit.xml' } },
    ],
    build: [{ name: 'dist', argv: ['node', 'build.mjs'] }],
    services: [
      {
        name: 'app',
        argv: ['node', 'server.mjs'],
        port: 3000,
        health: { path: '/api/health', commit_field: 'commit', timeout_seconds: startSeconds },
      },
    ],
    endpoints: [{ service: 'app', path: '/api/message' }],
    routes: [{ path: '/api/project/state' }, { path: '/api/runs' }],
  }
  return {
    'openclaw.config.json': `${JSON.stringify(config, null, 2)}\n`,
    'docs/OPENCLAW_NEXT.md': '# Next action\n\n- Greet the operator by name\n',
    'message.txt': version.message,
    'server.mjs': server(version, port),
    'build.mjs': build(version.build ?? 'good'),
  }
}
