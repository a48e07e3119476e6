import { dirname, join } from 'node:path'
import { z } from 'zod'
import { timestamp } from '#shared/ids'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'

/** How many requests of one kind came, and when: doctor raises the alarm. */
const requestRecord = z.strictObject({
  schema_version: z.literal(1),
  count: z.number().int().positive(),
  first_at: timestamp,
  last_at: timestamp,
})
export type RequestRecord = z.infer<typeof requestRecord>

/** Kinds of requests that are counted, with the name of their file. */
const files = {
  /** They came from the public internet through Tailscale Funnel. All were refused. */
  funnel: 'funnel_requests.json',
  /** They claimed an identity of the tailnet that did not come from tailscaled. The claim was ignored. */
  claimed_identity: 'claimed_identity.json',
} as const
export type CountedRequests = keyof typeof files

type Where = Pick<HostPaths, 'index'>

/** In hostd's own folder, the only one it may write to; beside its index, which may be dropped. */
export const requestRecordFile = ({ index }: Where, kind: CountedRequests): string =>
  join(dirname(index), files[kind])

/** @throws {Problem} `state_invalid` */
export const readRequestRecord = (paths: Where, kind: CountedRequests): RequestRecord | undefined =>
  readJson(requestRecordFile(paths, kind), requestRecord, 'state_invalid')

/** @throws {Problem} `disk_full` and what else writing may meet */
export const writeRequestRecord = (
  paths: Where,
  kind: CountedRequests,
  record: RequestRecord,
): void => writeJson(requestRecordFile(paths, kind), record)
