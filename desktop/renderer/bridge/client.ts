import {
  bridgeReply,
  procedures,
  type BridgeTransport,
  type Input,
  type Output,
  type ProcedureName,
} from '#shared/bridge'
import { BridgeError, problemOf } from './bridge-error.ts'

export interface Bridge {
  /** @throws {BridgeError} the expected failure, or an answer in an unexpected format */
  call<P extends ProcedureName>(name: P, input: Input<P>): Promise<Output<P>>
  readonly events: BridgeTransport['events']
}

/** The typed client over any transport. Answers are checked: a transport is outside this page. */
export function bridgeOver(transport: BridgeTransport): Bridge {
  /** Address of the host in the last Overview, which the whole page shows. */
  let shown: string | null = null
  return {
    async call<P extends ProcedureName>(name: P, input: Input<P>): Promise<Output<P>> {
      const reply = bridgeReply.safeParse(await transport.call(name, input, shown))
      if (!reply.success)
        throw new BridgeError(
          problemOf(
            'invalid_request',
            `The answer to ${name} is not a valid reply, so it is not shown.`,
          ),
        )
      if (!reply.data.ok) throw new BridgeError(reply.data.problem)
      const value = procedures[name].output.safeParse(reply.data.value)
      if (!value.success) {
        const { path, message } = value.error.issues[0] ?? { path: [], message: 'unknown' }
        throw new BridgeError(
          problemOf(
            'invalid_request',
            `The answer to ${name} has an unexpected format at ${path.join('.') || 'its root'} ` +
              `(${message}), so it is not shown.`,
          ),
        )
      }
      if (name === 'overview.get') shown = (value.data as Output<'overview.get'>).connection.url
      return value.data as Output<P>
    },
    events: (request, onEvents, onEnd) => transport.events(request, onEvents, onEnd),
  }
}
