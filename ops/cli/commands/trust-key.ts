import { runHere } from '#ops/host/hostd-client/check-command'
import { doneDocument } from '#ops/core/pipeline/documents'
import { enrolShipKey, removeShipKey } from '#ops/core/trust/enrolled-keys'
import { exitUsage } from '#ops/core/pipeline/exit-codes'
import { runThroughHostd } from '#ops/host/hostd-client/index'
import { hostPaths } from '#ops/base/paths/paths'
import { runContext } from '#ops/core/pipeline/run-context'

interface TrustKeyOptions {
  readonly publicKey?: string
  readonly label?: string
  readonly remove?: string
  readonly json?: boolean
}

/**
 * `hq trust-key`: this host trusts the verdicts and ships of one more laptop, or with `--remove` no longer those of
 * one. Within a run it is the action trust_ship_key or distrust_ship_key.
 * @returns the exit code
 */
export async function run({
  publicKey,
  label,
  remove,
  json = false,
}: TrustKeyOptions): Promise<number> {
  const inRun = runContext().startedByRunner
  if (remove !== undefined)
    return inRun
      ? await removeKey(remove)
      : await runThroughHostd('distrust_ship_key', { id: remove }, { json })
  if (publicKey === undefined || label === undefined) {
    process.stderr.write('hq trust-key needs --public-key and --label, or --remove\n')
    return exitUsage
  }
  return inRun
    ? await enrolKey(publicKey, label)
    : await runThroughHostd('trust_ship_key', { public_key: publicKey, label }, { json })
}

const removeKey = (id: string): Promise<number> =>
  runHere('distrust_ship_key', ({ context, log }) => {
    const started_at = new Date().toISOString()
    const label = removeShipKey(hostPaths(), id)
    log(
      label === null
        ? `Key ${id} was not trusted. Nothing was changed.`
        : `Key ${id} (${label}) is no longer trusted: what only it has signed counts as unreviewed.`,
    )
    return Promise.resolve(doneDocument(context.runId, started_at))
  })

const enrolKey = (public_key: string, label: string): Promise<number> =>
  runHere('trust_ship_key', ({ context, log }) => {
    const started_at = new Date().toISOString()
    const { id, added } = enrolShipKey(hostPaths(), {
      public_key,
      label,
      run_id: context.runId,
    })
    log(
      added
        ? `Key ${id} (${label}) is trusted from now on: what it signed counts as reviewed.`
        : `Key ${id} was trusted already. Nothing was changed.`,
    )
    return Promise.resolve(doneDocument(context.runId, started_at))
  })
