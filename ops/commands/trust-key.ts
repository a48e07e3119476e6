import { runHere } from '../doctor/check-command.ts'
import { doneDocument } from '../done-document.ts'
import { enrolShipKey } from '../enrolled-keys.ts'
import { runThroughHostd } from '../host-client.ts'
import { hostPaths } from '../paths.ts'
import { runContext } from '../run-context.ts'

interface TrustKeyOptions { readonly publicKey: string; readonly label: string; readonly json?: boolean }

/** `hq trust-key`: this host believes verdicts and ships of one more laptop. Inside a run it is the action trust_ship_key. @returns the exit code */
export const run = ({ publicKey, label, json = false }: TrustKeyOptions): Promise<number> =>
  runContext().startedByRunner ? enrol(publicKey, label) : runThroughHostd('trust_ship_key', { public_key: publicKey, label }, { json })

const enrol = (public_key: string, label: string): Promise<number> => runHere('trust_ship_key', ({ context, log }) => {
  const started_at = new Date().toISOString()
  const { id, added } = enrolShipKey(hostPaths(process.env), { public_key, label, run_id: context.runId })
  log(added ? `Key ${id} (${label}) is believed from now on: what it signed counts as reviewed.` : `Key ${id} was believed already. Nothing was changed.`)
  return Promise.resolve(doneDocument(context.runId, started_at))
})
