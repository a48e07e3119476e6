import { isLocked } from '#ops/lock'
import { readMaintenance } from '#ops/maintenance'
import type { HostPaths } from '#ops/paths'
import { laneLockFile } from '#ops/runner/locks'

/** Why guard may only look; null when it may act. Maintenance that cannot be read is on. */
export function whyHandsOff(paths: HostPaths): string | null {
  const { on, unreadable } = readMaintenance(paths)
  if (unreadable !== null)
    return `the maintenance file cannot be read, so maintenance counts as on (${unreadable})`
  if (on) return 'maintenance mode is on'
  return isLocked(laneLockFile(paths, 'deploy')) ? 'a deploy is running' : null
}
