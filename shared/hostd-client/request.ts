/** One request to hostd: time limits, redirects, network errors and refusals, each handled once. */
import type { z } from 'zod'
import { adminTokenHeader, errorBody, joinableBody, type JoinableBody } from '../api.ts'
import { Problem } from '../errors.ts'
import { networkReason } from '../network-reason.ts'
import type { HostdAddress } from './address.ts'
import { readText } from './body.ts'

/** Longest wait for one answer, milliseconds. */
const answerMs = 10_000
/** Largest JSON answer, and largest body of a refusal, bytes. */
const maxJsonBytes = 8 * 1024 * 1024
const maxRefusalBytes = 64 * 1024

export interface HostdRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** Begins with `/`. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | undefined>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
  /** A body that is not JSON. */
  readonly bytes?: Uint8Array<ArrayBuffer>
  /** Longest wait for the whole answer, milliseconds. null: a stream, which its reader watches. Default: 10 s. */
  readonly limitMs?: number | null
  readonly signal?: AbortSignal
}

/** The 409 of a busy lane, with the run that holds it. */
export class LaneBusy extends Problem {
  readonly active: JoinableBody
  constructor(active: JoinableBody) {
    super('ALREADY_RUNNING', active.detail)
    this.active = active
  }
}

/**
 * Sends one request and reads a JSON answer.
 * @throws {Problem} as `requestAnswer`; `version_mismatch` when the answer does not fit `schema`
 */
export async function requestJson<T extends z.ZodType>(
  address: HostdAddress,
  request: HostdRequest,
  schema: T,
): Promise<z.output<T>> {
  return await readJson(address, await requestAnswer(address, request), schema)
}

/** @throws {Problem} `version_mismatch` when the answer is not JSON or does not fit `schema` */
export async function readJson<T extends z.ZodType>(
  { caller }: HostdAddress,
  answer: Response,
  schema: T,
): Promise<z.output<T>> {
  const value = parseJson(await readText(answer, { maxBytes: maxJsonBytes, host: caller.host }))
  if (value === undefined) throw mismatch(caller.sides, `${caller.host} did not answer with JSON`)
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const at = parsed.error.issues[0]?.path.map(String).join('.') || 'the top'
  const { pathname } = new URL(answer.url || '/', 'http://host.invalid')
  throw mismatch(
    caller.sides,
    `${pathname} of ${caller.host} has an unknown shape at ${at}`,
    parsed.error,
  )
}

/**
 * Sends one request.
 * @returns the answer of a request that was accepted, its body not yet read
 * @throws {Problem} `hostd_unreachable`, `cancelled`, `host_refused` for a redirect, or the class hostd answered with
 */
export async function requestAnswer(
  address: HostdAddress,
  request: HostdRequest,
): Promise<Response> {
  const answer = await send(address, request)
  if (answer.ok) return answer
  if (isRedirect(answer)) {
    await answer.body?.cancel()
    throw new Problem(
      'host_refused',
      `${address.caller.host} answered with a redirect, so the admin token was not sent to the new address. ` +
        address.caller.redirectAdvice,
    )
  }
  throw await refusal(address, answer)
}

/**
 * Sends one request. The token goes to this address only: a redirect is an answer and is not followed.
 * @returns the answer, whatever its status
 * @throws {Problem} `hostd_unreachable`, `cancelled`
 */
export async function send(address: HostdAddress, request: HostdRequest): Promise<Response> {
  const { method = 'GET', path, query = {}, headers = {}, limitMs = answerMs } = request
  const body = bodyOf(request)
  const limit = limitMs === null ? null : AbortSignal.timeout(limitMs)
  const signals = [limit, request.signal].filter(
    (signal) => signal !== null && signal !== undefined,
  )
  try {
    return await (address.fetch ?? fetch)(`${address.base}${path}${queryText(query)}`, {
      method,
      redirect: 'manual',
      cache: 'no-store',
      signal: AbortSignal.any(signals),
      headers: {
        ...headers,
        ...(address.token === null ? {} : { [adminTokenHeader]: address.token }),
        ...(body === null ? {} : { 'content-type': body.type }),
      },
      ...(body === null ? {} : { body: body.content }),
    })
  } catch (error) {
    if (request.signal?.aborted)
      throw new Problem('cancelled', 'The request was cancelled.', { cause: error })
    throw unreachable(address, limit?.aborted ? 'it does not answer' : networkReason(error), error)
  }
}

function bodyOf({
  body,
  bytes,
}: HostdRequest): { type: string; content: string | Uint8Array<ArrayBuffer> } | null {
  if (bytes !== undefined) return { type: 'application/octet-stream', content: bytes }
  return body === undefined ? null : { type: 'application/json', content: JSON.stringify(body) }
}

const unreachable = ({ caller }: HostdAddress, reason: string, cause?: unknown): Problem =>
  new Problem('hostd_unreachable', caller.unreachable(reason), { cause })

export const mismatch = (sides: string, what: string, cause?: unknown): Problem =>
  new Problem('version_mismatch', `${sides} speak different versions: ${what}.`, { cause })

/** A browser hides the status of a redirect that it does not follow. */
const isRedirect = ({ status, type }: Response): boolean =>
  type === 'opaqueredirect' || (status >= 300 && status < 400)

function queryText(query: NonNullable<HostdRequest['query']>): string {
  const given = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    if (value !== undefined) given.set(name, String(value))
  return given.size === 0 ? '' : `?${given.toString()}`
}

/** What an answer that is not a success stands for. */
async function refusal(address: HostdAddress, answer: Response): Promise<Problem> {
  const { caller } = address
  const text = await readText(answer, { maxBytes: maxRefusalBytes, host: caller.host })
  const body = parseJson(text)
  const known = errorBody.safeParse(body)
  if (answer.status === 403 && (!known.success || known.data.error_class === 'forbidden'))
    address.onForbidden?.()
  const joinable = joinableBody.safeParse(body)
  if (joinable.success) return new LaneBusy(joinable.data)
  if (known.success) return new Problem(known.data.error_class, known.data.detail)
  const unknown = `answered ${answer.status} in a format that hostd does not use`
  return caller.behindProxy && answer.status >= 500
    ? new Problem('hostd_unreachable', `${caller.host} ${unknown}: hostd behind it is down.`)
    : mismatch(caller.sides, `${caller.host} ${unknown}`)
}

/** @returns undefined when the text is not JSON: a proxy or another program wrote it */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
