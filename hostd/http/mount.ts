import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { Problem } from '#shared/errors'
import { describeIssues } from '#ops/base/files/json-file'

const nothing = z.strictObject({})
const noBody = z.union([z.undefined(), z.null(), nothing])

interface Route<
  P extends z.ZodType,
  Q extends z.ZodType,
  B extends z.ZodType,
  R extends z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly url: string
  readonly params?: P
  readonly query?: Q
  readonly body?: B
  /** What the answer must be. An answer that is not is a defect and is not sent. */
  readonly reply: R
  readonly bodyLimit?: number
  readonly handle: (asked: {
    params: z.output<P>
    query: z.output<Q>
    body: z.output<B>
    request: FastifyRequest
    reply: FastifyReply
  }) => z.input<R> | Promise<z.input<R>>
}

/** @throws {Problem} `invalid_request`, naming the field and its place in the request */
export function checked<T extends z.ZodType>(
  schema: T,
  value: unknown,
  place: string,
): z.output<T> {
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    throw new Problem(
      'invalid_request',
      `The ${place} is refused: ${describeIssues(parsed.error)}. Nothing was done.`,
    )
  return parsed.data
}

/** One route with schemas both ways: unknown fields are refused coming in, and nothing off its schema goes out. */
export function mount<
  R extends z.ZodType,
  P extends z.ZodType = typeof nothing,
  Q extends z.ZodType = typeof nothing,
  B extends z.ZodType = typeof noBody,
>(app: FastifyInstance, route: Route<P, Q, B, R>): void {
  app.route({
    method: route.method,
    url: route.url,
    ...(route.bodyLimit === undefined ? {} : { bodyLimit: route.bodyLimit }),
    handler: async (request, reply) => {
      const params = checked(route.params ?? nothing, request.params, 'address') as z.output<P>
      const query = checked(route.query ?? nothing, request.query, 'query') as z.output<Q>
      const body = checked(route.body ?? noBody, request.body, 'body') as z.output<B>
      const answer = route.reply.safeParse(
        await route.handle({ params, query, body, request, reply }),
      )
      if (!answer.success)
        throw new Error(
          `the answer of ${route.method} ${route.url} is off its schema: ${describeIssues(answer.error)}`,
        )
      return await reply.type('application/json; charset=utf-8').send(JSON.stringify(answer.data))
    },
  })
}
