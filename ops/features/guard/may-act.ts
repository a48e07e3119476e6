import { isLocked } from '#ops/base/files/lock'
import { readMaintenance } from '#ops/core/host-state/maintenance'
import type { HostPaths } from '#ops/base/paths/paths'
import { laneLockFile } from '#ops/core/host-state/locks'

/** Why guard may only observe; null when it may act. Maintenance that cannot be read counts as on. */
export function whyMayNotAct(paths: HostPaths): string | null {
  const { on, unreadable } = readMaintenance(paths)
  if (unreadable !== null)
    return `the maintenance file cannot be read, so maintenance counts as on (${unreadable})`
  if (on) return 'maintenance mode is on'
  return isLocked(laneLockFile(paths, 'deploy')) ? 'a deploy is running' : null
}
