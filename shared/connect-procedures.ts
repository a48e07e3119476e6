/** What the window can request to connect a connector; part of `procedures` in bridge.ts. */
import { z } from 'zod'
import { procedure } from './bridge-procedure.ts'
import { connectFlow } from './connect-flow.ts'
import { connectorName } from './connectors.ts'
import { connectorModes } from './connectors/list.ts'
import { runId } from './ids.ts'

const one = z.strictObject({ name: connectorName })
const done = z.strictObject({ ok: z.literal(true) })
const started = z.strictObject({ run_id: runId, joined: z.boolean() })

export const connectorProcedures = {
  /** Starts an attempt. `fields`: the form of the way, by name. A second press joins the attempt that runs. */
  'connectors.connect': procedure(
    z.strictObject({
      name: connectorName,
      mode: z.enum(connectorModes),
      fields: z.record(z.string().max(40), z.string().max(65_536)).optional(),
    }),
    connectFlow,
  ),
  'connectors.cancel': procedure(one, done),
  /** Brings the browser window of the attempt to the front. */
  'connectors.show_window': procedure(one, done),
  /** Forgets an attempt that has ended. */
  'connectors.dismiss': procedure(one, done),
  /** Has the host prove a secret that lies there already. */
  'connectors.finalize': procedure(one, started),
  /** Deletes the secret on the host, and at the service where it can be done. */
  'connectors.revoke': procedure(one, started),
} as const
