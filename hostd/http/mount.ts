/** Routes of hostd: one call mounts a route, checks it both ways and describes it for the OpenAPI document. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { brokenTextIn } from '#shared/broken-text'
import { Problem } from '#shared/errors'
import type { HostdPath } from '#shared/hostd-paths'
import { describeIssues } from '#ops/base/files/json-file'

const nothing = z.strictObject({})
const noBody = z.union([z.undefined(), z.null(), nothing])

/** An answer that is not JSON. */
export interface PlainReply {
  readonly contentType: string
  readonly description: string
}

/** What the OpenAPI document says of a route. */
export interface RouteDescription {
  readonly summary: string
  readonly params?: z.ZodType
  readonly query?: z.ZodType
  readonly headers?: z.ZodType
  readonly body?: z.ZodType
  /** Content type of a body that is passed on as it arrives, instead of JSON. */
  readonly stream?: string
  /** Answers of a request that hostd accepts, by status; 409 too where it has a separate shape. */
  readonly replies: Readonly<Record<number, z.ZodType | PlainReply>>
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Read by the OpenAPI document only. */
    description?: RouteDescription
  }
}

interface Route<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  R extends z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: HostdPath
  readonly summary: string
  readonly params?: P
  readonly query?: Q
  /** Headers that change what the route does. They are described here and read by the handler. */
  readonly headers?: z.ZodType
  readonly body?: B
  /** Content type of a body that the handler takes from `request.body` as a stream, instead of JSON. */
  readonly stream?: string
  /** What the answer must be, by status. An answer that does not fit is a defect and is not sent. */
  readonly replies: Readonly<Record<number, R>>
  readonly bodyLimit?: number
  /** Sets the status of the answer if it is not the first of `replies`. */
  readonly handle: (input: {
    params: z.output<P>
    query: z.output<Q>
    body: z.output<B>
    request: FastifyRequest
    reply: FastifyReply
  }) => z.input<R> | Promise<z.input<R>>
}

/** Mounts one route with schemas both ways: unknown fields are refused, and an answer that does not fit is not sent. */
export function mount<
  R extends z.ZodType,
  P extends z.ZodType = typeof nothing,
  Q extends z.ZodType = typeof nothing,
  B extends z.ZodType = typeof noBody,
>(app: FastifyInstance, route: Route<P, Q, B, R>): void {
  const { method, url, summary, params, query, headers, body, stream, replies, bodyLimit } = route
  const given = Object.fromEntries(
    Object.entries({ params, query, headers, body, stream }).filter(
      ([, schema]) => schema !== undefined,
    ),
  )
  const firstStatus = Number(Object.keys(replies)[0])
  app.route({
    method,
    url,
    ...(bodyLimit === undefined ? {} : { bodyLimit }),
    config: { description: { summary, replies, ...given } },
    handler: async (request, reply) => {
      void reply.code(firstStatus)
      const answer = await route.handle({
        params: checked(params ?? nothing, request.params, 'address') as z.output<P>,
        query: checked(query ?? nothing, request.query, 'query') as z.output<Q>,
        body: checked(body ?? noBody, stream ? null : request.body, 'body') as z.output<B>,
        request,
        reply,
      })
      const parsed = replies[reply.statusCode]?.safeParse(answer)
      if (!parsed?.success)
        throw unexpectedAnswer(`${method} ${url}`, reply.statusCode, parsed?.error)
      return await reply.type('application/json; charset=utf-8').send(JSON.stringify(parsed.data))
    },
  })
}

/** @throws {Problem} `invalid_request`, naming the field and its part of the request */
export function checked<T extends z.ZodType>(schema: T, value: unknown, part: string): z.output<T> {
  const broken = brokenTextIn(value)
  if (broken !== null)
    throw new Problem(
      'invalid_request',
      `The ${part} is refused: ${broken}: the text holds half of a character. Nothing was done.`,
    )
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    throw new Problem(
      'invalid_request',
      `The ${part} is refused: ${describeIssues(parsed.error)}. Nothing was done.`,
    )
  return parsed.data
}

const unexpectedAnswer = (route: string, status: number, error?: z.ZodError): Error =>
  new Error(
    `the answer of ${route} with status ${status} does not fit its schema` +
      (error === undefined ? '' : `: ${describeIssues(error)}`),
  )
