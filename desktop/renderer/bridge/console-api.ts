import { z } from 'zod'
import { adminTokenHeader, errorBody } from '#shared/api'
import { BridgeError, problemOf } from './bridge-error.ts'

export interface ConsoleApi {
  /** One JSON call to hostd through the console. @throws {BridgeError} */
  json<T extends z.ZodType>(
    schema: T,
    path: string,
    init?: { method?: 'GET' | 'POST'; body?: unknown; accept?: readonly number[] },
  ): Promise<z.output<T>>
  /** The raw answer, for streams and files; a failure is thrown as the problem hostd names. @throws {BridgeError} */
  raw(
    path: string,
    init?: { headers?: Record<string, string>; signal?: AbortSignal },
  ): Promise<Response>
}

/**
 * hostd's own API, behind the console of the same origin.
 * @param token typed once by the operator; lives in this closure and nowhere else
 * @param onRefused called when the host does not take the token (any more)
 */
export function consoleApi(token: string, onRefused: () => void): ConsoleApi {
  async function send(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(path, {
        ...init,
        cache: 'no-store',
        headers: {
          ...(init.headers as Record<string, string> | undefined),
          [adminTokenHeader]: token,
        },
      })
    } catch (error) {
      if (init.signal?.aborted) throw error
      throw new BridgeError(
        problemOf(
          'hostd_unreachable',
          'The console does not answer. What is shown here stays as it was.',
        ),
      )
    }
  }
  async function refuse(answer: Response): Promise<never> {
    const body = errorBody.safeParse(await answer.json().catch(() => null))
    if (answer.status === 403 && (!body.success || body.data.error_class === 'forbidden'))
      onRefused()
    if (body.success)
      throw new BridgeError({
        error_class: body.data.error_class,
        message: body.data.detail,
        next_auto_fix: body.data.next_auto_fix,
      })
    throw new BridgeError(
      problemOf(
        answer.status >= 502 ? 'hostd_unreachable' : 'invalid_request',
        `The host answered ${answer.status} without saying why.`,
      ),
    )
  }
  return {
    async json(schema, path, { method = 'GET', body, accept = [] } = {}) {
      const answer = await send(path, {
        method,
        ...(body === undefined
          ? {}
          : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
      })
      if (!answer.ok && !accept.includes(answer.status)) return await refuse(answer)
      const parsed = schema.safeParse(await answer.json().catch(() => null))
      if (!parsed.success)
        throw new BridgeError(
          problemOf(
            'invalid_request',
            `The host's answer to ${path} does not have the agreed form; nothing of it is shown.`,
          ),
        )
      return parsed.data
    },
    async raw(path, init = {}) {
      const answer = await send(path, init)
      return answer.ok ? answer : await refuse(answer)
    },
  }
}
