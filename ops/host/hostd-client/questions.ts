import type { z } from 'zod'
import { adminTokenHeader } from '#shared/api'
import { Problem } from '#shared/errors'
import { ask, fetchReason, type Answer } from '#ops/base/http/health'
import { parseJson } from '#ops/base/files/json-file'

/** Longest wait for one answer, milliseconds: more than a check outside of a deploy has, so that such a check has the last word. */
const timeoutMs = 15_000

/** One GET to hostd or the console. @throws {Problem} `hostd_unreachable` with the reason */
export async function askApi(
  base: string,
  path: string,
  { token, signal }: { token?: string; signal?: AbortSignal } = {},
): Promise<Answer> {
  try {
    return await ask(`${base}${path}`, {
      timeoutMs,
      ...(token === undefined ? {} : { headers: { [adminTokenHeader]: token } }),
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    throw new Problem(
      'hostd_unreachable',
      `${base}${path} did not answer: ${fetchReason(error)}.`,
      { cause: error },
    )
  }
}

/** The same, for an answer that must be 200 and fit `schema`. @throws {Problem} `hostd_unreachable`, `hostd_unhealthy` */
export async function askFor<T extends z.ZodType>(
  base: string,
  path: string,
  schema: T,
  options: { token?: string; signal?: AbortSignal } = {},
): Promise<z.output<T>> {
  const { status, text } = await askApi(base, path, options)
  if (status !== 200) throw new Problem('hostd_unhealthy', `${base}${path} answered ${status}.`)
  return parseJson(text, schema, { errorClass: 'hostd_unhealthy', origin: `${base}${path}` })
}
