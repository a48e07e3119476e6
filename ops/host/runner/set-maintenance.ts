import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '#shared/errors'
import { personsMaintenance } from '#shared/maintenance'
import { setTimers } from '#ops/core/host-state/timers'
import {
  holdMaintenance,
  readMaintenance,
  turnMaintenanceOff,
} from '#ops/core/host-state/maintenance'
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

/** A deploy reads the file and writes it again within this time; milliseconds. */
const deployWritesMs = 250

async function putOn(paths: HostPaths, hold: { by: string; reason: string }): Promise<string> {
  const state = readMaintenance(paths)
  // A file that cannot be read counts as a person's; what it should have said is lost, so it is written again.
  const held = state.file === null ? null : personsMaintenance(state)
  if (held !== null) return `Maintenance mode was on already, since ${held.since ?? ''}.`
  holdMaintenance(paths, hold)
  // A deploy that began or ended at this very moment has read the file before, and writes or removes it now.
  await delay(deployWritesMs)
  if (personsMaintenance(readMaintenance(paths)) === null) holdMaintenance(paths, hold)
  return 'Maintenance mode is on.'
}

async function end(paths: HostPaths): Promise<string> {
  const busy = (): Problem =>
    new Problem('lane_busy', 'Maintenance mode was not changed: a deploy is running and holds it.')
  return await withLock(laneLockFile(paths, 'deploy'), { waitMs: 1000, busy }, async () => {
    if (!turnMaintenanceOff(paths)) return 'Maintenance mode was off already.'
    await setTimers(readHostSettings(paths), 'start') // a deploy that turned it on stopped it
    return 'Maintenance mode is off.'
  })
}
