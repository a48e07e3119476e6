// The health of a service: one probe, or probes until it is healthy.
import { networkReason } from '#shared/network-reason'
import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import { describeIssues } from '#ops/base/files/json-file'
import { answerMs, httpRequest, type HttpAnswer, type HttpRequest } from './request.ts'

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
  { status, text }: Pick<HttpAnswer, 'status' | 'text'>,
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
  if (!body.success) return `its answer is not valid: ${describeIssues(body.error)}`
  if (commitField === null || commit === null) return null
  const named = body.data[commitField]
  return named === commit
    ? null
    : `its ${commitField} is ${JSON.stringify(named) ?? 'missing'}, not ${commit}`
}

/** Probes a service once. @returns null when it is healthy, else why not */
export async function probeHealth(
  url: string,
  expectation: Expectation = {},
  options: Pick<HttpRequest, 'headers' | 'signal' | 'timeoutMs'> = {},
): Promise<string | null> {
  try {
    return whyNotOk(await httpRequest(url, options), expectation)
  } catch (error) {
    options.signal?.throwIfAborted()
    return networkReason(error)
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
    why = await probeHealth(url, expectation, {
      headers,
      timeoutMs: Math.ceil(Math.min(answerMs, left)),
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
