import { dirname, join } from 'node:path'
import { z } from 'zod'
import { timestamp } from '#shared/ids'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'

/**
 * Requests that came from the public internet through Tailscale Funnel. All were refused; that they came at all is
 * the alarm.
 */
const funnelRecord = z.strictObject({
  schema_version: z.literal(1),
  count: z.number().int().positive(),
  first_at: timestamp,
  last_at: timestamp,
})
export type FunnelRecord = z.infer<typeof funnelRecord>

/** In hostd's own folder, the only one it may write to; beside its index, which may be dropped. */
export const funnelFile = ({ index }: Pick<HostPaths, 'index'>): string =>
  join(dirname(index), 'funnel_requests.json')

/** @throws {Problem} `state_invalid` */
export const readFunnelRecord = (paths: Pick<HostPaths, 'index'>): FunnelRecord | undefined =>
  readJson(funnelFile(paths), funnelRecord, 'state_invalid')

/** @throws {Problem} `disk_full` and what else writing may meet */
export const writeFunnelRecord = (paths: Pick<HostPaths, 'index'>, record: FunnelRecord): void =>
  writeJson(funnelFile(paths), record)
