/** The connectors as the host answered last; kept while it does not answer. */
import type { ConnectorsView } from '../bridge.ts'
import { connectorsReply, type ConnectorsReply } from '../connectors.ts'
import { errorRule, toProblem } from '../errors.ts'
import { hostdPaths } from '../hostd-paths.ts'
import type { HostdClient } from './client.ts'

type KnownConnectors = Pick<ConnectorsView, 'host' | 'as_of' | 'problem'>

/**
 * @param whose names the host that `client` reaches now; what another host answered is forgotten
 * @returns reads the connectors; it throws only what is a defect
 */
export function connectorsReader(
  client: HostdClient,
  whose: () => string | null,
): () => Promise<KnownConnectors> {
  let last: { whose: string | null; host: ConnectorsReply; as_of: string } | null = null
  return async () => {
    try {
      const host = await client.request(hostdPaths.connectors, connectorsReply)
      last = { whose: whose(), host, as_of: new Date().toISOString() }
      return { host, as_of: last.as_of, problem: null }
    } catch (error) {
      const { errorClass, message } = toProblem(error)
      if (errorClass === 'internal_error') throw error
      if (last?.whose !== whose()) last = null
      return {
        host: last?.host ?? null,
        as_of: last?.as_of ?? null,
        problem: {
          error_class: errorClass,
          message,
          next_auto_fix: errorRule(errorClass).next_auto_fix,
        },
      }
    }
  }
}
