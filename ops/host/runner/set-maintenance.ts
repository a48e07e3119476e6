import { Problem } from '#shared/errors'
import { setTimers } from '#ops/core/host-state/timers'
import { holdMaintenance, turnMaintenanceOff } from '#ops/core/host-state/maintenance'
import type { HostPaths } from '#ops/base/paths/paths'
import { readHostSettings } from '#ops/core/config/settings-files'
import { withLock } from '#ops/base/files/lock'
import { laneLockFile } from '#ops/core/host-state/locks'

interface Change {
  readonly set: 'on' | 'off'
  readonly reason: string
  /** Login of the person, as Tailscale says it, or `local`. */
  readonly actor: string
}

/**
 * Sets maintenance mode for a person. It is put on at any time: a deploy that runs then stops before it switches or
 * records anything. It is never ended under a deploy, which holds the mode itself.
 * @returns one sentence for a person
 * @throws {Problem} `lane_busy` when it should end while a deploy runs; `maintenance_not_written`
 */
export async function setMaintenance(
  paths: HostPaths,
  { set, reason, actor }: Change,
): Promise<string> {
  return set === 'on' ? await putOn(paths, { by: actor, reason }) : await end(paths)
}

async function putOn(paths: HostPaths, hold: { by: string; reason: string }): Promise<string> {
  const held = await holdMaintenance(paths, hold)
  return held === null
    ? 'Maintenance mode is on.'
    : `Maintenance mode was on already, since ${held.since ?? ''}.`
}

async function end(paths: HostPaths): Promise<string> {
  const busy = (): Problem =>
    new Problem('lane_busy', 'Maintenance mode was not changed: a deploy is running and holds it.')
  return await withLock(laneLockFile(paths, 'deploy'), { waitMs: 1000, busy }, async () => {
    if (!(await turnMaintenanceOff(paths))) return 'Maintenance mode was off already.'
    await setTimers(readHostSettings(paths), 'start') // a deploy that turned it on stopped it
    return 'Maintenance mode is off.'
  })
}
