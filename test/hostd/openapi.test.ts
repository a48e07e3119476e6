import { beforeAll, describe, expect, it } from 'vitest'
import { openApiDocument } from '../../hostd/openapi.ts'

type Operation = {
  summary?: string
  security?: unknown[]
  parameters?: { in: string; name: string; required: boolean }[]
  requestBody?: unknown
  responses: Record<string, { content?: Record<string, { schema: unknown }> }>
}
let document: {
  openapi: string
  security: unknown
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> }
}
beforeAll(async () => {
  document = (await openApiDocument('1.2.3')) as typeof document
})

describe('the OpenAPI document of hostd', () => {
  it('lists every route with its methods', () => {
    expect(document.openapi).toBe('3.1.0')
    const routes = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    )
    expect(routes.toSorted()).toEqual(
      [
        'DELETE /api/maintenance',
        'GET /api/artifacts',
        'GET /api/artifacts/{path}',
        'GET /api/connectors',
        'GET /api/deploy/last',
        'GET /api/dod/last',
        'GET /api/maintenance',
        'GET /api/project/state',
        'GET /api/proof/bundles',
        'GET /api/proof/chain',
        'GET /api/proof/export',
        'GET /api/runs',
        'GET /api/runs/{id}/events',
        'GET /api/ship/last',
        'GET /api/status',
        'GET /api/trust',
        'GET /health',
        'POST /api/connectors/{name}/finalize',
        'POST /api/connectors/{name}/revoke',
        'POST /api/connectors/{name}/start',
        'POST /api/exec',
        'POST /api/runs/{id}/cancel',
        'PUT /api/connectors/{name}/secret',
        'PUT /api/maintenance',
        'PUT /api/ship/{run_id}',
      ].toSorted(),
    )
  })

  it('requires the token everywhere but in /health', () => {
    expect(document.security).toEqual([{ token: [] }])
    expect(document.components.securitySchemes).toEqual({
      token: { type: 'apiKey', in: 'header', name: 'x-openclaw-admin-token' },
    })
    const open = Object.entries(document.paths).filter(([, operations]) =>
      Object.values(operations).some(({ security }) => security?.length === 0),
    )
    expect(open.map(([path]) => path)).toEqual(['/health'])
  })

  it('gives each route a summary, its answers by status, and the shape of a refusal', () => {
    for (const operation of Object.values(document.paths).flatMap((each) => Object.values(each))) {
      expect(operation.summary).toMatch(/\w/)
      expect(operation.responses['default']?.content?.['application/json']?.schema).toEqual({
        $ref: '#/components/schemas/ErrorBody',
      })
      expect(Object.keys(operation.responses).length).toBeGreaterThan(1)
    }
    expect(Object.keys(document.paths['/api/exec']?.['post']?.responses ?? {})).toEqual([
      '202',
      '409',
      'default',
    ])
    expect(
      Object.keys(
        document.paths['/api/runs/{id}/events']?.['get']?.responses['200']?.content ?? {},
      ),
    ).toEqual(['text/event-stream'])
  })

  it('names the parameters, the body and the headers that a route reads', () => {
    const named = (path: string, method: string) =>
      document.paths[path]?.[method]?.parameters?.map((each) => [each.in, each.name, each.required])
    expect(named('/api/runs/{id}/events', 'get')).toEqual([
      ['query', 'after', false],
      ['path', 'id', true],
      ['header', 'last-event-id', false],
    ])
    expect(named('/api/artifacts/{path}', 'get')).toEqual([['path', 'path', true]])
    expect(named('/api/exec', 'post')).toEqual([['header', 'x-openclaw-dod-run', false]])
    expect(document.paths['/api/exec']?.['post']?.requestBody).toMatchObject({ required: true })
  })

  it('defines every shape that it refers to, and no other', () => {
    const text = JSON.stringify(document)
    const referred = [...text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name = '']) => name,
    )
    expect([...new Set(referred)].toSorted()).toEqual(
      Object.keys(document.components.schemas).toSorted(),
    )
    expect(text).not.toContain('$defs')
    expect([...text.matchAll(/"\$ref":"([^"]*)"/g)].length).toBe(referred.length)
  })

  it('is the same each time', async () => {
    expect(await openApiDocument('1.2.3')).toEqual(document)
  })
})
