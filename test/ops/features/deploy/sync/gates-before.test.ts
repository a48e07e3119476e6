import { describe, expect, it } from 'vitest'
import {
  heldEndpoints,
  heldRoutes,
  judgedConfig,
  type GreenBefore,
} from '#ops/features/deploy/sync/gates-before'
import { projectConfig, type ProjectConfig } from '#shared/config'
import { problemFrom } from '../../../../support/step-context.ts'

const service = (name: string, port: number, more: object = {}) => ({
  name,
  argv: ['node', 'x'],
  port,
  health: { path: '/health', ...more },
})
const config = (more: object): ProjectConfig =>
  projectConfig.parse({
    schema_version: 1,
    project: 'sample',
    tests: [{ name: 'unit', argv: ['x'], report: { format: 'junit', path: 'x.xml' } }],
    services: [service('app', 3000, { commit_field: 'commit' })],
    endpoints: [{ service: 'app', path: '/api' }],
    routes: [{ path: '/api/runs' }],
    ...more,
  })
const green = (more: object = {}): GreenBefore => ({ sha: '1'.repeat(40), config: config(more) })
const nothing = { services: [], endpoints: [], routes: [] }

describe('G6 the checks of the version that was green last', () => {
  it('run too where the commit drops or loosens them', () => {
    const now = config({
      services: [service('web', 3000)],
      endpoints: [{ service: 'web', path: '/new' }],
      routes: [],
    })
    expect(heldEndpoints(now, config({}))).toEqual([
      { service: 'web', path: '/health', port: 3000, commitField: 'commit' },
      { service: 'web', path: '/api', port: 3000, commitField: null },
    ])
    expect(heldRoutes(now, config({}))).toEqual(['/api/runs'])
    expect([heldEndpoints(config({}), config({})), heldRoutes(config({}), config({}))]).toEqual([
      [],
      [],
    ])
  })

  it('refuse a service that goes without notice, and its endpoints', async () => {
    const gone = (before: GreenBefore) =>
      problemFrom(() => Promise.resolve().then(() => judgedConfig(config(nothing), before)))
    const unannounced = await gone(green())
    expect(unannounced.errorClass).toBe('deploy_check_removed')
    expect(unannounced.message).toContain('services: app (port 3000, /health)')
    const retired = { services: [{ ...service('app', 3000), retired: true }] }
    expect((await gone(green(retired))).message).toContain('endpoints: app/api of 111111111111')
    const announced = judgedConfig(config(nothing), green({ ...retired, endpoints: [] }))
    expect(announced.notYet).toEqual([])
    expect(judgedConfig(config(nothing), null).config).toEqual(config(nothing))
  })

  it('let an exception count from the deploy after the one that brings it', () => {
    const port = { protocol: 'tcp', port: 5432, reason: 'why' } as const
    const mount = { code: 'host_mount', service: 'app', subject: '/x', reason: 'why' }
    const open = { ports: { exceptions: [port] }, compose: { exceptions: [mount] } }
    const first = judgedConfig(config(open), green())
    expect(first.config.ports.exceptions).toEqual([])
    expect(first.config.compose.exceptions).toEqual([])
    expect(first.notYet).toEqual([
      'ports.exceptions tcp 5432',
      'compose.exceptions app host_mount /x',
    ])
    const again = { ...open, ports: { exceptions: [{ ...port, reason: 'another' }] } }
    expect(judgedConfig(config(again), green(open))).toEqual({ config: config(again), notYet: [] })
  })
})
