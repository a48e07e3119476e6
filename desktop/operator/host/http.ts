import type { z } from 'zod'
import { adminTokenHeader, errorBody, joinableBody, type JoinableBody } from '#shared/api'
import { Problem } from '#shared/errors'

/** A host that can be asked: its address was checked by `hostOrigin` and its token is set. */
export interface HostTarget {
  readonly name: string
  readonly origin: string
  readonly token: string
}

export interface HostRequest {
  readonly method?: 'GET' | 'POST' | 'PUT'
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly body?: unknown
  /** Most bytes of the answer that are read. */
  readonly maxBytes?: number
  readonly timeoutMs?: number
  /** An answer without end: no time limit but the caller's `signal`. `after` is the last event number seen. */
  readonly stream?: { readonly after: number }
  readonly signal?: AbortSignal
}

/** The 409 of a busy lane, with what is needed to join. */
export class LaneBusy extends Problem {
  readonly active: JoinableBody
  constructor(active: JoinableBody) {
    super('ALREADY_RUNNING', active.detail)
    this.active = active
  }
}

const codeOf = (error: unknown): string => {
  const cause = error instanceof Error && error.cause !== undefined ? error.cause : error
  return cause instanceof Error
    ? 'code' in cause && typeof cause.code === 'string'
      ? cause.code
      : cause.message
    : String(cause)
}
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens at its address',
  ENOTFOUND: 'its name is not known on this network',
  EAI_AGAIN: 'names cannot be looked up now',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'the network is down',
  ECONNRESET: 'it closed the connection',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  UND_ERR_SOCKET: 'it closed the connection',
}

/**
 * One request to hostd. The token goes to this origin only: a redirect is refused, not followed.
 * @returns the answer of status 200 or 202, its body not yet read
 * @throws {Problem} `hostd_unreachable`, `host_refused` on a redirect, `version_mismatch`, or the class hostd answered with
 */
export async function askHost(target: HostTarget, request: HostRequest): Promise<Response> {
  const url = new URL(request.path, target.origin)
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (value !== undefined) url.searchParams.set(name, String(value))
  const timeout = request.stream
    ? new AbortController().signal
    : AbortSignal.timeout(request.timeoutMs ?? 10_000)
  let reply: Response
  try {
    reply = await fetch(url, {
      method: request.method ?? 'GET',
      redirect: 'manual',
      signal: request.signal ? AbortSignal.any([timeout, request.signal]) : timeout,
      headers: {
        [adminTokenHeader]: target.token,
        ...(request.stream
          ? { accept: 'text/event-stream', 'last-event-id': String(request.stream.after) }
          : { accept: 'application/json' }),
        ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
    })
  } catch (error) {
    if (request.signal?.aborted)
      throw new Problem('cancelled', 'The request was cancelled.', { cause: error })
    const why = timeout.aborted ? 'it does not answer' : (reasons[codeOf(error)] ?? codeOf(error))
    throw new Problem('hostd_unreachable', `${target.name} cannot be reached: ${why}.`, {
      cause: error,
    })
  }
  if (reply.status === 200 || reply.status === 202) return reply
  if (reply.status >= 300 && reply.status < 400) {
    await reply.body?.cancel()
    throw new Problem(
      'host_refused',
      `${target.name} answered with a redirect, so the admin token was not sent on. Enter the address it really has in Settings.`,
    )
  }
  throw await refusal(target, reply)
}

async function refusal(target: HostTarget, reply: Response): Promise<Problem> {
  const text = await readBounded(target, reply, 64 * 1024)
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    body = undefined // not hostd's words: a proxy in between, or another program
  }
  const joinable = joinableBody.safeParse(body)
  if (joinable.success) return new LaneBusy(joinable.data)
  const known = errorBody.safeParse(body)
  if (known.success) return new Problem(known.data.error_class, known.data.detail)
  if (reply.status >= 500)
    return new Problem(
      'hostd_unreachable',
      `${target.name} answered ${reply.status}, but not in the words of hostd: hostd behind it is down.`,
    )
  return new Problem(
    'version_mismatch',
    `HQ and hostd speak different versions: ${target.name} answered ${reply.status} in words HQ does not know.`,
  )
}

/** @throws {Problem} `version_mismatch` when there is more, `hostd_unreachable` when the connection breaks */
export async function readBounded(
  target: HostTarget,
  reply: Response,
  maxBytes: number,
): Promise<string> {
  const { text, truncated } = await readHead(target, reply, maxBytes)
  if (truncated)
    throw new Problem(
      'version_mismatch',
      `${target.name} answered with more than ${maxBytes} bytes where HQ expects less.`,
    )
  return text
}

/** The first `maxBytes` of an answer, and whether there was more. */
export async function readHead(
  target: HostTarget,
  reply: Response,
  maxBytes: number,
): Promise<{ text: string; truncated: boolean }> {
  const parts: Uint8Array[] = []
  let size = 0
  try {
    for await (const part of reply.body ?? []) {
      const room = maxBytes - size
      parts.push(part.subarray(0, room))
      size += part.length
      if (size > maxBytes) break
    }
  } catch (error) {
    throw new Problem('hostd_unreachable', `${target.name} broke off in the middle of an answer.`, {
      cause: error,
    })
  }
  return { text: Buffer.concat(parts).toString('utf8'), truncated: size > maxBytes }
}

/** Asks and reads a JSON answer of the given shape. @throws {Problem} as `askHost`, and `version_mismatch` when it is off the schema */
export async function askHostJson<T extends z.ZodType>(
  target: HostTarget,
  request: HostRequest,
  schema: T,
): Promise<z.output<T>> {
  return readJsonReply(target, request, await askHost(target, request), schema)
}

export async function readJsonReply<T extends z.ZodType>(
  target: HostTarget,
  request: HostRequest,
  reply: Response,
  schema: T,
): Promise<z.output<T>> {
  const text = await readBounded(target, reply, request.maxBytes ?? 8 * 1024 * 1024)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    throw new Problem(
      'version_mismatch',
      `HQ and hostd speak different versions: ${target.name} did not answer with JSON.`,
      { cause: error },
    )
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw new Problem(
      'version_mismatch',
      `HQ and hostd speak different versions: ${request.path} of ${target.name} has an unknown shape at ${issue?.path.map(String).join('.') || 'the top'}.`,
      { cause: parsed.error },
    )
  }
  return parsed.data
}
