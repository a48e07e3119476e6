/** One GET to hostd or to the console, for checks and gates that judge the answer themselves. */
import type { z } from 'zod'
import { Problem } from '#shared/errors'
import type { HostdAddress } from '#shared/hostd-client/address'
import { readText } from '#shared/hostd-client/body'
import { send } from '#shared/hostd-client/request'
import { parseJson } from '#ops/base/files/json-file'

/** Longest wait for one answer, milliseconds. A check outside of a deploy has less: its own limit counts. */
const timeoutMs = 15_000
const maxBytes = 1024 * 1024

export interface Probe {
  /** Address of hostd or of the console. */
  readonly base: string
  readonly path: string
  /** Absent: the request carries none. */
  readonly token?: string
  readonly signal?: AbortSignal
}

/** @returns the answer, whatever its status @throws {Problem} `hostd_unreachable` with the reason, `cancelled` */
export async function probeApi(probe: Probe): Promise<{ status: number; text: string }> {
  const { path, signal } = probe
  const address = addressOf(probe)
  const answer = await send(address, { path, limitMs: timeoutMs, ...(signal ? { signal } : {}) })
  return {
    status: answer.status,
    text: await readText(answer, { maxBytes, host: address.caller.host }),
  }
}

/**
 * The answer of a route that must be 200 and fit its schema.
 * @throws {Problem} `hostd_unreachable`, `hostd_unhealthy`
 */
export async function requireReply<T extends z.ZodType>(
  probe: Probe & { readonly schema: T },
): Promise<z.output<T>> {
  const url = `${probe.base}${probe.path}`
  const { status, text } = await probeApi(probe)
  if (status !== 200) throw new Problem('hostd_unhealthy', `${url} answered ${status}.`)
  return parseJson(text, probe.schema, { errorClass: 'hostd_unhealthy', origin: url })
}

function addressOf({ base, path, token }: Probe): HostdAddress {
  const host = `${base}${path}`
  return {
    base,
    token: token ?? null,
    caller: {
      host,
      sides: 'hostd and its caller',
      unreachable: (reason) => `${host} did not answer: ${reason}.`,
      redirectAdvice: 'Use the address that answers without a redirect.',
      behindProxy: false,
    },
  }
}
