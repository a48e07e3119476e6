import { join } from 'node:path'
import { z } from 'zod'
import { connectorName, secretKind } from '#shared/connectors'
import { timestamp } from '#shared/ids'
import type { HostPaths } from '#ops/base/paths/paths'

/** Which secrets wait for their proof. hostd may not see the folder of the secrets, so a run notes it here. */
export const candidatesFile = ({ state }: Pick<HostPaths, 'state'>): string =>
  join(state, 'connector_candidates.json')

export const candidates = z.strictObject({
  schema_version: z.literal(1),
  candidates: z.array(
    z.strictObject({ name: connectorName, kind: secretKind, stored_at: timestamp }),
  ),
})
