import { envValue, wholeEnvironment, type Environment } from '#ops/base/env'
import { adminTokenHeader, errorBody } from '#shared/api'
import { Problem } from '#shared/errors'
import type { RunEvent } from '#shared/events'
import { readAdminToken } from '#ops/core/config/admin-token'
import { hostdUrl, hostPaths } from '#ops/base/paths/paths'

/** One answer of hostd may take this long, milliseconds. A cancel waits for the whole tree. */
const answerMs = 60_000

export interface HostAddress {
  readonly url: string
  /** Asked for each request, so that a rotated token counts at once. @throws {Problem} `token_not_configured` */
  readonly token: () => string
}

export interface Ask {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal
  /** Longest wait for the whole answer, milliseconds; null for a stream, whose caller watches it. Default: a minute. */
  readonly limitMs?: number | null
}
export interface FollowOptions {
  readonly after?: number
  readonly onEvents?: (events: readonly RunEvent[]) => void
  readonly signal?: AbortSignal
}
/** hostd of this machine, with the token of the environment (people) or of the token file (the host itself). */
export function localHost(env: Environment = wholeEnvironment()): HostAddress {
  return {
    url: hostdUrl(env),
    token: () => envValue('OPENCLAW_ADMIN_TOKEN', env) ?? readAdminToken(hostPaths(env).tokenFile),
  }
}

export const mismatch = (what: string): Problem =>
  new Problem('version_mismatch', `hostd and its caller speak different versions: ${what}.`)

/** Sends one request. @returns the answer whatever its status @throws {Problem} `hostd_unreachable` */
export async function request(
  { url, token }: HostAddress,
  path: string,
  { method = 'GET', body, headers = {}, signal, limitMs = answerMs }: Ask = {},
): Promise<Response> {
  const given = token()
  // A hostd that hangs takes the connection and says nothing: who has a signal of their own needs a limit too.
  const ends = [
    ...(signal ? [signal] : []),
    ...(limitMs === null ? [] : [AbortSignal.timeout(limitMs)]),
  ]
  try {
    return await fetch(new URL(path, url), {
      method,
      redirect: 'error',
      headers: {
        ...headers,
        [adminTokenHeader]: given,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any(ends),
    })
  } catch (error) {
    if (signal?.aborted)
      throw new Problem('cancelled', 'The request was cancelled.', { cause: error })
    throw unreachable(url, error)
  }
}

/** A hostd that is well answers this at once, also while it is being restarted: its socket keeps the question. Milliseconds. */
const healthMs = 10_000

/**
 * Is anybody there? Asked before something is started, because a hostd that hangs takes every request, and would start
 * it whenever it wakes up.
 * @throws {Problem} `hostd_unreachable` when it does not answer `/health`, whatever the answer
 */
export async function requireAnswering({ url }: Pick<HostAddress, 'url'>): Promise<void> {
  try {
    await (
      await fetch(new URL('/health', url), {
        redirect: 'manual',
        signal: AbortSignal.timeout(healthMs),
      })
    ).arrayBuffer()
  } catch (error) {
    throw unreachable(url, error)
  }
}

function unreachable(url: string, error: unknown): Problem {
  const cause =
    error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error)
  return new Problem('hostd_unreachable', `hostd does not answer at ${url} (${cause}).`, {
    cause: error,
  })
}

/** The Problem that an answer of hostd stands for. */
export async function problemOf(answer: Response): Promise<Problem> {
  const parsed = errorBody.safeParse(await json(answer))
  return parsed.success
    ? new Problem(parsed.data.error_class, parsed.data.detail)
    : mismatch(`it answered ${answer.status} in an unknown shape`)
}

/** @throws {Problem} `version_mismatch` when it is not JSON, `hostd_unreachable` when it broke off */
export async function json(answer: Response): Promise<unknown> {
  try {
    return JSON.parse(await answer.text()) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) throw mismatch(`it answered ${answer.status} without JSON`)
    throw new Problem(
      'hostd_unreachable',
      `hostd broke off in the middle of an answer (${String(error)}).`,
      { cause: error },
    )
  }
}
