import { Problem } from '#shared/errors'
import { setTimers } from '../deploy/timers.ts'
import { readMaintenance, turnMaintenanceOff, turnMaintenanceOn } from '../maintenance.ts'
import type { HostPaths } from '../paths.ts'
import { readHostSettings } from '../settings-files.ts'
import { laneLockFile, takeLock } from './locks.ts'

/**
 * Sets maintenance mode for a person. Never under a deploy: it holds the mode itself while it runs.
 * @returns one sentence for a person
 * @throws {Problem} `lane_busy` while a deploy runs; `maintenance_not_written`
 */
export async function setMaintenance(
  paths: HostPaths,
  { set, reason }: { set: 'on' | 'off'; reason: string },
): Promise<string> {
  const lock = await takeLock(laneLockFile(paths, 'deploy'), 1000)
  if (lock === null)
    throw new Problem(
      'lane_busy',
      'Maintenance mode was not changed: a deploy is running and holds it.',
    )
  try {
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
  } finally {
    lock.release()
  }
}
