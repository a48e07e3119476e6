/** The OpenAPI document of hostd's API, made from the schemas that the routes themselves check with. */
import { hostdPaths } from '#shared/hostd-paths'
import swagger from '@fastify/swagger'
import fastify from 'fastify'
import { z } from 'zod'
import * as api from '#shared/api'
import * as bundles from '#shared/bundle'
import * as connectors from '#shared/connectors'
import { hostSettings } from '#shared/config'
import * as proofs from '#shared/proof'
import * as results from '#shared/result'
import * as runs from '#shared/run'
import * as signatures from '#shared/signature'
import { hostPaths } from '#ops/base/paths/paths'
import type { Deps } from './http/deps.ts'
import type { PlainReply, RouteDescription } from './http/mount.ts'
import { mountRoutes } from './routes/index.ts'

type JsonObject = Record<string, unknown>

/** Shapes that get a name in the document, so that each is described once. */
const modules = [api, bundles, connectors, proofs, results, runs, signatures]
const errorName = 'ErrorBody'
const refBase = '#/components/schemas/'

/**
 * The OpenAPI 3.1 document of every route that hostd serves. Nothing is read and no port is opened.
 * @param version of the API, as `info.version`
 */
export async function openApiDocument(version = '0.1.0'): Promise<JsonObject> {
  const app = fastify()
  const shapes = namedShapes()
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'hostd',
        version,
        description:
          'The daemon of the production host: starts actions, records runs, streams logs.',
      },
      security: [{ token: [] }],
      components: {
        securitySchemes: { token: { type: 'apiKey', in: 'header', name: api.adminTokenHeader } },
      },
    },
    convertConstToEnum: false,
    transform: ({ url, route }) => {
      const description = route.config?.description
      if (description === undefined) throw new Error(`${url} has no description`)
      return {
        schema: operationOf(url, description, shapes),
        url: url.replace('*', ':path'),
      }
    },
  })
  mountRoutes(app, depsOfNoHost)
  await app.ready()
  const document = JSON.parse(JSON.stringify(app.swagger())) as JsonObject
  await app.close()
  const components = document['components'] as JsonObject
  components['schemas'] = used(document['paths'], shapes.definitions)
  return document
}

interface Shapes {
  readonly registry: z.core.$ZodRegistry<{ id: string }>
  /** JSON schemas by name. */
  readonly definitions: Readonly<Record<string, JsonObject>>
}

const jsonSchema = { target: 'draft-2020-12', unrepresentable: 'any' } as const

function namedShapes(): Shapes {
  const registry = z.registry<{ id: string }>()
  for (const [name, value] of modules.flatMap((module) => Object.entries(module)))
    if (value instanceof z.ZodType && !registry.has(value))
      registry.add(value, { id: `${name.charAt(0).toUpperCase()}${name.slice(1)}` })
  const { schemas } = z.toJSONSchema(registry, { ...jsonSchema, uri: (id) => `${refBase}${id}` })
  return {
    registry,
    definitions: Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, without(schema, ['$schema', '$id'])]),
    ),
  }
}

const without = (schema: object, names: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(schema).filter(([name]) => !names.includes(name)))

/** One route as Fastify's swagger plugin takes it. */
function operationOf(url: string, description: RouteDescription, shapes: Shapes): JsonObject {
  const { summary, params, query, headers, body, stream, replies } = description
  const inline = (schema: z.ZodType): JsonObject => {
    return without(z.toJSONSchema(schema, { ...jsonSchema, io: 'input' }), ['$schema'])
  }
  return {
    summary,
    ...(url === hostdPaths.health ? { security: [] } : {}),
    ...(params === undefined ? {} : { params: inline(pathParams(params)) }),
    ...(query === undefined ? {} : { querystring: inline(query) }),
    ...(headers === undefined ? {} : { headers: inline(headers) }),
    ...(body === undefined ? {} : { body: inline(body) }),
    ...(stream === undefined ? {} : { consumes: [stream], body: bytes }),
    response: {
      ...Object.fromEntries(
        Object.entries(replies).map(([status, reply]) => [
          status,
          replyOf(Number(status), reply, shapes),
        ]),
      ),
      default: {
        description: 'Refused or failed: the class, the reason, and the next automatic fix.',
        content: { 'application/json': { schema: { $ref: `${refBase}${errorName}` } } },
      },
    },
  }
}

/** The rest of an address, which Fastify calls `*`, has a name in the document. */
function pathParams(params: z.ZodType): z.ZodType {
  if (!(params instanceof z.ZodObject)) return params
  const shape = params.shape as Record<string, z.ZodType>
  return z.object(
    Object.fromEntries(
      Object.entries(shape).map(([name, schema]) => [name === '*' ? 'path' : name, schema]),
    ),
  )
}

/** A body that is not JSON. */
const bytes = { type: 'string', format: 'binary' }

const meaning: Readonly<Record<number, string>> = {
  200: 'Done.',
  202: 'The run is recorded and its runner is being started.',
  409: 'Another run holds the lane. It is named, so that the caller can follow it.',
}

function replyOf(status: number, reply: z.ZodType | PlainReply, { registry }: Shapes): JsonObject {
  if (!(reply instanceof z.ZodType))
    return {
      description: reply.description,
      content: { [reply.contentType]: { schema: { type: 'string' } } },
    }
  const name = registry.get(reply)?.id
  const schema = name === undefined ? withRefs(reply, registry) : { $ref: `${refBase}${name}` }
  return {
    description: meaning[status] ?? `Status ${status}.`,
    content: { 'application/json': { schema } },
  }
}

/** An unnamed shape, whose named parts are references. */
function withRefs(schema: z.ZodType, registry: Shapes['registry']): JsonObject {
  const {
    $schema: _,
    $defs: _defs,
    ...json
  } = z.toJSONSchema(schema, {
    ...jsonSchema,
    metadata: registry,
  })
  return JSON.parse(JSON.stringify(json).replaceAll('#/$defs/', refBase)) as JsonObject
}

/** The named shapes that `paths` refer to, directly or through another one; sorted by name. */
function used(paths: unknown, definitions: Shapes['definitions']): Record<string, JsonObject> {
  const found = new Set<string>()
  const visit = (value: unknown): void => {
    for (const [, name = ''] of JSON.stringify(value).matchAll(
      /"#\/components\/schemas\/(\w+)"/g,
    )) {
      if (found.has(name)) continue
      found.add(name)
      visit(definitions[name])
    }
  }
  visit(paths)
  return Object.fromEntries([...found].toSorted().map((name) => [name, definitions[name] ?? {}]))
}

/** The routes are listed, never called: they belong to a host that does not exist. */
const depsOfNoHost: Deps = {
  paths: hostPaths({}),
  settings: hostSettings.parse({}),
  rules: { tokenFile: '', hosts: () => new Set(), names: new Set(), origins: new Set() },
  runs: {
    start: neverCalled,
    cancel: neverCalled,
    get: neverCalled,
    list: neverCalled,
    active: neverCalled,
    close: neverCalled,
  },
  launch: neverCalled,
  version: '',
  log: () => undefined,
}

function neverCalled(): never {
  throw new Error('a route was called while the document was made')
}
