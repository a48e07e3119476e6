import { codeOf } from '#shared/system-error'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { describeIssues } from '#ops/base/files/json-file'
import { plainGet } from './plain-get.ts'

/** Time for one HTTP question, in milliseconds. */
const questionMs = 5_000
const maxAnswerBytes = 1024 * 1024

export interface Answer {
  readonly status: number
  readonly text: string
}

/** One GET; redirects are not followed: the answer of another address says nothing about this one. */
export async function ask(
  url: string,
  {
    headers = {},
    signal,
    timeoutMs = questionMs,
  }: { headers?: Record<string, string>; signal?: AbortSignal; timeoutMs?: number } = {},
): Promise<Answer> {
  if (headers['host'] !== undefined) {
    // `fetch` does not let its caller name the host.
    const { hostname, port, pathname, search } = new URL(url)
    return plainGet({ host: hostname, port: Number(port) }, `${pathname}${search}`, {
      headers,
      signal,
      timeoutMs,
      maxBytes: maxAnswerBytes,
    })
  }
  const limit = AbortSignal.timeout(timeoutMs)
  const response = await fetch(url, {
    headers,
    redirect: 'manual',
    signal: signal ? AbortSignal.any([signal, limit]) : limit,
  })
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const part of response.body ?? []) {
    size += part.length
    if (size > maxAnswerBytes) throw new Error(`the answer is larger than ${maxAnswerBytes} bytes`)
    chunks.push(part)
  }
  return { status: response.status, text: Buffer.concat(chunks).toString('utf8') }
}

const okBody = z.looseObject({ ok: z.literal(true, 'not true') })

export interface Expectation {
  /** This field of the answer must be `commit`. */
  readonly commitField?: string | null
  readonly commit?: string | null
}

/**
 * @returns why the answer is not healthy, or null when it is: 200, JSON, `ok: true`, and the commit where one is
 *   expected
 */
export function whyNotOk(
  { status, text }: Answer,
  { commitField = null, commit = null }: Expectation = {},
): string | null {
  if (status !== 200) return `it answered ${status}`
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return 'its answer is not JSON' // the text itself may be a page of any length: not repeated here
  }
  const body = okBody.safeParse(value)
  if (!body.success) return `its answer is off: ${describeIssues(body.error)}`
  if (commitField === null || commit === null) return null
  const named = body.data[commitField]
  return named === commit
    ? null
    : `its ${commitField} is ${JSON.stringify(named) ?? 'missing'}, not ${commit}`
}

/** The reason behind `fetch failed`, which alone says nothing. */
export function fetchReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'it did not answer in time'
  const cause = error.cause
  const code = codeOf(cause)
  if (code === 'ECONNREFUSED') return 'nothing listens there'
  return code ?? (cause instanceof Error ? cause.message : error.message)
}

/** One request. @returns null when healthy, else why not */
export async function lookAt(
  url: string,
  expectation: Expectation = {},
  options: Parameters<typeof ask>[1] = {},
): Promise<string | null> {
  try {
    return whyNotOk(await ask(url, options), expectation)
  } catch (error) {
    options.signal?.throwIfAborted()
    return fetchReason(error)
  }
}

/**
 * Repeats the request until the service is healthy, for at most `seconds`.
 * @param alive false ends the wait at once: a process that has ended will not get healthy
 * @returns null when healthy, else the last reason
 */
export async function waitUntilOk(
  url: string,
  expectation: Expectation,
  {
    seconds,
    signal,
    alive = () => true,
    headers = {},
  }: {
    seconds: number
    signal?: AbortSignal
    alive?: () => boolean
    headers?: Record<string, string>
  },
): Promise<string | null> {
  const end = performance.now() + seconds * 1000
  let why: string | null = 'it was not probed'
  let pause = 15
  for (;;) {
    const lives = alive()
    const left = Math.max(1, end - performance.now())
    why = await lookAt(url, expectation, {
      headers,
      timeoutMs: Math.ceil(Math.min(questionMs, left)),
      ...(signal ? { signal } : {}),
    })
    if (why === null) return null
    if (!lives) return `its process ended; ${why}`
    // A request with hardly any time left would only hide the last good reason.
    if (performance.now() + pause + 20 >= end) return `${why} (probed for ${seconds} s)`
    await delay(pause, undefined, signal ? { signal } : {})
    pause = Math.min(pause * 1.5, 250)
  }
}
