import { join } from 'node:path'
import type { HostPaths } from '#ops/base/paths/paths'

/** Where a harvest of mail that has not ended keeps what it has read, for the next run. */
export const unfinishedHarvest = ({ state }: Pick<HostPaths, 'state'>): string =>
  join(state, 'phase0', 'gmail_harvest.jsonl')
