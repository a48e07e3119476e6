// hostd over its unix socket: a container cannot reach the host's loopback.
import { adminTokenHeader } from '#shared/api'
import { Problem } from '#shared/errors'
import { messageOf } from '#shared/system-error'
import { httpRequest, type HttpAnswer } from '#ops/base/http/request'

/** Sends one GET. @throws {Problem} `hostd_unreachable` */
export async function getOverSocket(
  socketPath: string,
  path: string,
  token: string | undefined,
): Promise<HttpAnswer> {
  try {
    return await httpRequest(`http://localhost${path}`, {
      socketPath,
      headers: token === undefined ? {} : { [adminTokenHeader]: token },
    })
  } catch (error) {
    throw new Problem('hostd_unreachable', `${path} did not answer: ${messageOf(error)}.`, {
      cause: error,
    })
  }
}
