import { Problem } from '#shared/errors'
import { setTimers } from '#ops/core/host-state/timers'
import {
  readMaintenance,
  turnMaintenanceOff,
  turnMaintenanceOn,
} from '#ops/core/host-state/maintenance'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostSettings } from '#ops/core/config/settings-files'
import { withLock } from '#ops/base/files/lock'
import { laneLockFile } from '#ops/core/host-state/locks'

/**
 * Sets maintenance mode for a person. Never under a deploy: it holds the mode itself while it runs.
 * @returns one sentence for a person
 * @throws {Problem} `lane_busy` while a deploy runs; `maintenance_not_written`
 */
export async function setMaintenance(
  paths: HostPaths,
  { set, reason }: { set: 'on' | 'off'; reason: string },
): Promise<string> {
  const busy = (): Problem =>
    new Problem('lane_busy', 'Maintenance mode was not changed: a deploy is running and holds it.')
  return await withLock(laneLockFile(paths, 'deploy'), { waitMs: 1000, busy }, async () => {
    if (set === 'off') {
      if (!turnMaintenanceOff(paths)) return 'Maintenance mode was off already.'
      await setTimers(readHostSettings(paths), 'start') // a deploy that turned it on stopped it
      return 'Maintenance mode is off.'
    }
    const { file } = readMaintenance(paths)
    // A deploy that failed left it on under its own name; that name lets its DoD through and is kept.
    if (file !== null) return `Maintenance mode was on already, since ${file.since}.`
    turnMaintenanceOn(paths, { deployRunId: null, reason })
    return 'Maintenance mode is on.'
  })
}
