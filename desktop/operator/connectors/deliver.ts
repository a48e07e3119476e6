import { connectorsResult } from '#shared/connectors'
import type { ConnectorMode } from '#shared/connectors/list'
import { Problem } from '#shared/errors'
import { freshProgress, trackProgress } from '#shared/progress'
import type { HostdClient } from '#shared/hostd-client/client'
import type { ResultDocument } from '#shared/result'
import type { Attempt } from './common/attempt.ts'
import type { Secret } from './common/way.ts'
import { startProof } from './start-proof.ts'

/** After a cancel, or a lost connection, the host has this long to say how it is; milliseconds. */
const endMs = 30_000

interface Delivery {
  readonly client: HostdClient
  readonly mode: ConnectorMode
  readonly secrets: readonly Secret[]
}

/**
 * Sends the secrets to the host and has them proved there: the steps `send` and `prove`. The host keeps the
 * old secret until the new one is proved.
 * @throws {Problem} as the client of hostd; the class of the run when the service refused the secret
 */
export async function deliver(
  attempt: Attempt,
  { client, mode, secrets }: Delivery,
): Promise<void> {
  const { connector } = attempt.view()
  const { signal } = attempt
  await attempt.step('send', async () => {
    for (const { kind, bytes } of secrets)
      await client.sendSecret({ connector, kind, bytes }, { signal })
    return { detail: 'beside the one in use', value: undefined }
  })
  await attempt.step('prove', async () => {
    const run_id = await startProof(attempt, { client, mode, patienceMs: endMs })
    attempt.provedBy(run_id)
    const result = await resultOf(client, run_id, signal)
    if (result === null)
      throw new Problem('action_no_result', `Run ${run_id} of the host ended without a result.`)
    const known = connectorsResult.safeParse(result)
    const check = known.data?.checks.find(({ name }) => name === connector)
    if (result.overall === 'PASS') return { detail: check?.detail ?? null, value: undefined }
    throw new Problem(
      result.error_class ?? 'action_no_result',
      check?.detail ?? `Run ${run_id} of the host failed.`,
    )
  })
}

/**
 * Waits for the run that proves the secret. A cancel is passed on to it, and its result counts: it may have put the
 * new secret in use already.
 * @throws {Problem} `hostd_unreachable` when it is not known how the run ended after a cancel
 */
async function resultOf(
  client: HostdClient,
  runId: string,
  signal: AbortSignal,
): Promise<ResultDocument | null> {
  const giveUp = new AbortController()
  let timer: NodeJS.Timeout | undefined
  let notCancelled: unknown
  const cancel = (): void => {
    timer = setTimeout(() => giveUp.abort(), endMs)
    // It may have ended just now, or not answer: its events tell, or stop.
    client.cancel(runId).catch((error: unknown) => (notCancelled = error))
  }
  signal.addEventListener('abort', cancel)
  if (signal.aborted) cancel()
  try {
    const result = await trackProgress(
      client.events(runId, { signal: giveUp.signal }),
      freshProgress(),
    )
    if (giveUp.signal.aborted && result === null)
      throw new Problem(
        'hostd_unreachable',
        `The host did not say how run ${runId} ended. It may have put the new secret in use.`,
        { cause: notCancelled },
      )
    return result
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', cancel)
  }
}
