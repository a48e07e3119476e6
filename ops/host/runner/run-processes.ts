import type { RunFile } from '#shared/run'
import {
  bootId,
  identify,
  isAlive,
  members,
  type TreeSelector,
} from '#ops/base/process/process-tree'

/** Everything of a run carries this in its environment. */
export const runMarker = (id: string): string => `OPENCLAW_RUN_ID=${id}`

/** This process group, when this process leads it. In another's group there are processes that are not ours. */
export const processGroup = (): { pgid?: number } =>
  identify(process.pid)?.pgid === process.pid ? { pgid: process.pid } : {}

/**
 * What is left of a run, as `endTree` takes it, from its record alone. The recorded group counts only while it is
 * certainly the run's own: the runner leads it, and lives with the recorded start time, or a member carries the marker
 * (the kernel gives no group number out again while a member lives).
 * @returns null when the record is from before a reboot: nothing of it can be alive
 */
export function recordedTree(
  record: Pick<RunFile, 'run_id' | 'pid' | 'pgid' | 'start_time' | 'boot_id'>,
): TreeSelector | null {
  if (record.boot_id !== bootId()) return null
  const marker = runMarker(record.run_id)
  const groupIsOurs =
    record.pgid === record.pid &&
    (isAlive(record) ||
      (process.platform === 'linux' &&
        members({ marker }).some((pid) => identify(pid)?.pgid === record.pgid)))
  return groupIsOurs ? { pgid: record.pgid, marker } : { marker }
}
