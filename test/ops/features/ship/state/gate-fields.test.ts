import { describe, expect, it } from 'vitest'
import { projectConfig, type ProjectConfig } from '#shared/config'
import { alteredGates, gateFields } from '#ops/features/ship/state/gate-fields'
import { gateSettings } from '#ops/features/ship/state/gate-settings'

const full = {
  schema_version: 1,
  project: 'sample',
  tests: [{ name: 'unit', argv: ['true'], report: { format: 'junit', path: 'r.xml' } }],
  build: [{ name: 'assets', argv: ['make'] }],
  services: [{ name: 'app', argv: ['node', 'a.mjs'], port: 3000, health: { path: '/healthz' } }],
  endpoints: [{ service: 'app', path: '/healthz' }],
  routes: [{ path: '/api/app' }],
}
const config = (change: object = {}): ProjectConfig => projectConfig.parse({ ...full, ...change })
const open = { protocol: 'tcp', port: 5432, reason: 'needed' }
const socket = {
  code: 'docker_socket',
  service: 'web',
  subject: '/var/run/docker.sock',
  reason: 'x',
}

describe('the gates that a change alters (G6)', () => {
  it('has a row for every field of the configuration', () => {
    expect([...Object.keys(gateFields), 'tests'].toSorted()).toEqual(
      Object.keys(config()).toSorted(),
    )
  })

  it('are all named when one commit empties the checks of a deploy and adds exceptions', () => {
    const head = config({
      endpoints: [],
      routes: [],
      services: [],
      build: [],
      ports: { exceptions: [open] },
      compose: { exceptions: [socket] },
    })
    expect(gateSettings(config(), head).changed).toEqual([
      'build assets: removed',
      'services app: removed',
      'endpoints app/healthz: removed',
      'routes /api/app: removed',
      'compose.exceptions web docker_socket /var/run/docker.sock: added',
      'ports.exceptions tcp 5432: added',
    ])
  })

  it.each([
    ['nothing', {}, []],
    ['an engine', { engine: 'compose' }, ['engine: process → compose']],
    ['a name', { project: 'other' }, ['project: sample → other']],
    ['a limit', { review: { max_packets: 50 } }, ['review.max_packets: 20 → 50']],
    [
      'another health check of a service',
      { services: [{ ...full.services[0], health: { path: '/' } }] },
      ['services app: altered'],
    ],
    [
      'an endpoint of another path',
      { endpoints: [{ service: 'app', path: '/' }] },
      ['endpoints app/healthz: removed', 'endpoints app/: added'],
    ],
    ['a route more', { routes: [...full.routes, { path: '/b' }] }, ['routes /b: added']],
    [
      'a build that takes longer',
      { build: [{ ...full.build[0], timeout_seconds: 3000 }] },
      ['build assets: altered'],
    ],
    [
      'another compose file',
      { compose: { files: ['compose.yaml', 'open.yaml'] } },
      ['compose.files open.yaml: added'],
    ],
  ])('lists %s', (_what, change, expected) => {
    expect(alteredGates(config(), config(change))).toEqual(expected)
  })

  it('lists compose files in another order, and an exception with another reason', () => {
    const files = (...names: string[]): ProjectConfig => config({ compose: { files: names } })
    expect(alteredGates(files('a.yaml', 'b.yaml'), files('b.yaml', 'a.yaml'))).toEqual([
      'compose.files: in another order',
    ])
    const excepted = (reason: string): ProjectConfig =>
      config({ ports: { exceptions: [{ ...open, reason }] } })
    expect(alteredGates(excepted('one'), excepted('two'))).toEqual([
      'ports.exceptions tcp 5432: altered',
    ])
  })

  it('lists a path that is no longer protected by its name', () => {
    const [first = '', ...rest] = config().protected_paths
    expect(alteredGates(config(), config({ protected_paths: rest }))).toEqual([
      `protected_paths ${first}: removed`,
    ])
  })
})
