import { connectorsResult } from '#shared/connectors'
import type { ConnectorMode } from '#shared/connectors/list'
import { Problem } from '#shared/errors'
import { freshProgress, trackProgress } from '#shared/progress'
import type { HostdClient } from '#shared/hostd-client/client'
import type { Attempt } from './common/attempt.ts'
import type { Secret } from './common/way.ts'

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
    return { detail: '0640, 1000:1000', value: undefined }
  })
  await attempt.step('prove', async () => {
    const { run_id } = await client.finalizeConnector(connector, mode, { signal })
    attempt.provedBy(run_id)
    const result = await trackProgress(client.events(run_id, { signal }), freshProgress())
    signal.throwIfAborted()
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
