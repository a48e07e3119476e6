import { setTimeout as delay } from 'node:timers/promises'
import type { ConnectorMode, ConnectorName } from '#shared/connectors/list'
import { Problem, toProblem } from '#shared/errors'
import type { HostdClient } from '#shared/hostd-client/client'
import type { Attempt } from './common/attempt.ts'

interface Proof {
  readonly client: HostdClient
  readonly mode: ConnectorMode
  /** How long the host may take to say whether it started, after the connection was lost; milliseconds. */
  readonly patienceMs: number
}

/** Pause between two questions to a host that does not answer, milliseconds. */
const pauseMs = 1000

/**
 * Has the host start the run that proves the secret. Neither a cancel nor a lost connection says whether the host
 * accepted the request: then it is asked.
 * @returns the run
 * @throws {Problem} as the client of hostd, when the host started none; `hostd_unreachable` when that is not known
 */
export async function startProof(
  attempt: Attempt,
  { client, mode, patienceMs }: Proof,
): Promise<string> {
  const { connector } = attempt.view()
  const before = new Set((await proofsOf(client, connector)).map(({ run_id }) => run_id))
  attempt.signal.throwIfAborted()
  attempt.mayHaveChanged(true)
  try {
    return (await client.finalizeConnector(connector, mode, { signal: attempt.signal })).run_id
  } catch (error) {
    if (toProblem(error).errorClass === 'hostd_unreachable') {
      const runs = await eventually(() => proofsOf(client, connector), { patienceMs, error })
      const started = runs.find(({ run_id }) => !before.has(run_id))
      if (started !== undefined) return started.run_id
    }
    attempt.mayHaveChanged(false)
    throw error
  }
}

/** The newest proofs of a connector that the host knows. */
const proofsOf = async (client: HostdClient, connector: ConnectorName) =>
  (await client.runs({ action: 'connector_finalize', limit: 50 })).runs.filter(
    ({ params }) => params['name'] === connector,
  )

/** @throws {Problem} `hostd_unreachable` when the host does not answer in time */
async function eventually<T>(
  ask: () => Promise<T>,
  { patienceMs, error }: { readonly patienceMs: number; readonly error: unknown },
): Promise<T> {
  for (const end = performance.now() + patienceMs; ;)
    try {
      return await ask()
    } catch {
      // It is away, or is just starting again.
      if (performance.now() >= end)
        throw new Problem(
          'hostd_unreachable',
          'The connection was lost while HQ requested the proof of the new secret, and the host does not answer. ' +
            'It is not known whether the new secret is in use.',
          { cause: error },
        )
      await delay(pauseMs)
    }
}
