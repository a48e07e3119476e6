// hostd over its unix socket: a container cannot reach the host's loopback.
import { adminTokenHeader } from '#shared/api'
import { Problem } from '#shared/errors'
import { plainGet, type PlainAnswer } from '#ops/base/http/plain-get'

/** Longest wait for one answer, milliseconds, and its largest size, bytes. */
const limits = { timeoutMs: 5_000, maxBytes: 1024 * 1024 }

/** Sends one GET. @throws {Problem} `hostd_unreachable` */
export async function getOverSocket(
  socketPath: string,
  path: string,
  token: string | undefined,
): Promise<PlainAnswer> {
  try {
    return await plainGet({ socketPath }, path, {
      ...limits,
      headers: { host: 'localhost', ...(token === undefined ? {} : { [adminTokenHeader]: token }) },
    })
  } catch (error) {
    throw new Problem(
      'hostd_unreachable',
      `${path} did not answer: ${error instanceof Error ? error.message : String(error)}.`,
      { cause: error },
    )
  }
}
