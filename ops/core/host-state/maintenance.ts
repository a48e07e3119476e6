// Maintenance mode: its file, and every change of it under one lock.
import { lstatSync, rmSync } from 'node:fs'
import { Problem } from '#shared/errors'
import type { MaintenanceState } from '#shared/api'
import { personName, personsMaintenance, type PersonsMaintenance } from '#shared/maintenance'
import { maintenanceFile, type MaintenanceFile } from '#shared/run'
import { messageOf } from '#shared/system-error'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { takeLock } from '#ops/base/files/lock'
import type { HostPaths } from '#ops/base/paths/paths'
import { maintenanceLockFile } from './locks.ts'

type Changed = Pick<HostPaths, 'maintenance' | 'locks'>

/**
 * Maintenance mode as the file says it. A file that cannot be read, or is off its schema, counts as on:
 * nobody knows what it protects.
 */
export function readMaintenance(paths: Pick<HostPaths, 'maintenance'>): MaintenanceState {
  try {
    const file = readJson(paths.maintenance, maintenanceFile, 'state_invalid') ?? null
    // A link that leads nowhere is there, and what it should say is not.
    if (file === null && lstatSync(paths.maintenance, { throwIfNoEntry: false })?.isSymbolicLink())
      throw new Problem(
        'state_invalid',
        `${paths.maintenance} is a symbolic link that leads nowhere.`,
      )
    return { on: file !== null, unreadable: null, file }
  } catch (error) {
    return {
      on: true,
      unreadable: messageOf(error),
      file: null,
    }
  }
}

/**
 * Refuses when a person holds maintenance mode, or its file cannot be read.
 * @param what the start of the sentence: what was refused or stopped
 * @param untouched the end of it: what stays as it is
 * @throws {Problem} `maintenance_held`, naming who holds it and since when
 */
export function refusePersonsMaintenance(
  paths: Pick<HostPaths, 'maintenance'>,
  { what, untouched }: { readonly what: string; readonly untouched: string },
): void {
  const state = readMaintenance(paths)
  const held = personsMaintenance(state)
  if (held === null) return
  const why =
    state.unreadable === null
      ? `${personName(held)} holds maintenance mode since ${held.since ?? ''}: ${held.reason ?? ''}`
      : `maintenance mode counts as held by a person, because its file cannot be read: ${state.unreadable}`
  throw new Problem(
    'maintenance_held',
    `${what}: ${why.replace(/\.$/, '')}. End maintenance in HQ ends it. ${untouched}`,
  )
}

/**
 * Turns maintenance on for a deploy, or adopts what an earlier deploy left on.
 * @param deployRunId the deploy that holds it; its DoD is let through. null when a person holds it
 * @throws {Problem} `maintenance_held` when a person holds it; `maintenance_not_written`
 */
export const turnMaintenanceOn = async (
  paths: Changed,
  { deployRunId, reason }: { deployRunId: string | null; reason: string },
): Promise<MaintenanceFile> =>
  await changing(paths, () => {
    if (deployRunId !== null)
      refusePersonsMaintenance(paths, {
        what: `Deploy ${deployRunId} did not turn maintenance mode on`,
        untouched: 'The maintenance file is as it was.',
      })
    return write(paths, {
      schema_version: 1,
      deploy_run_id: deployRunId,
      reason,
      since: new Date().toISOString(),
    })
  })

/**
 * Puts maintenance on for a person, unless a person holds it already. The name of a deploy that holds it stays, so that
 * its DoD is let through; that deploy stops before it switches or records anything. A file that cannot be read is
 * written again.
 * @param by login of the person, as Tailscale says it, or `local`
 * @returns who held it before; null when it was put on now
 * @throws {Problem} `maintenance_not_written`
 */
export const holdMaintenance = async (
  paths: Changed,
  { by, reason }: { readonly by: string; readonly reason: string },
): Promise<PersonsMaintenance | null> =>
  await changing(paths, () => {
    const state = readMaintenance(paths)
    const { file } = state
    const held = file === null ? null : personsMaintenance(state)
    if (held !== null) return held
    const since = new Date().toISOString()
    write(paths, {
      ...(file ?? { schema_version: 1, deploy_run_id: null, reason, since }),
      hold: { by, reason, since },
    })
    return null
  })

/**
 * Ends the part of a deploy that has succeeded. What a person holds stays on.
 * @returns the person's maintenance that stays; null when maintenance is off now
 * @throws {Problem} `maintenance_not_written`
 */
export const endDeployMaintenance = async (paths: Changed): Promise<MaintenanceState | null> =>
  await changing(paths, () => {
    const state = readMaintenance(paths)
    if (personsMaintenance(state) === null) {
      remove(paths)
      return null
    }
    const hold = state.file?.hold
    if (hold !== undefined)
      write(paths, {
        schema_version: 1,
        deploy_run_id: null,
        reason: hold.reason,
        since: hold.since,
        hold,
      })
    return state
  })

/**
 * Turns maintenance off, also when its file cannot be read.
 * @returns whether it was on before
 * @throws {Problem} `maintenance_not_written` when the file cannot be removed
 */
export const turnMaintenanceOff = async (paths: Changed): Promise<boolean> =>
  await changing(paths, () => {
    const { on } = readMaintenance(paths)
    remove(paths)
    return on
  })

/** Longest wait for another program that changes the file, milliseconds: it reads and writes one small file. */
const lockWaitMs = 4000

/**
 * Does `work` while no other program changes the file: what one of them read stays true until it has written.
 * @throws {Problem} `maintenance_not_written` when the lock cannot be taken; what `work` throws
 */
async function changing<T>(paths: Changed, work: () => T): Promise<T> {
  const notTaken = (why: string, cause?: unknown): Problem =>
    new Problem(
      'maintenance_not_written',
      `Maintenance mode was not changed: ${why}. The file ${paths.maintenance} is as it was.`,
      cause === undefined ? {} : { cause },
    )
  const lock = await takeLock(maintenanceLockFile(paths), lockWaitMs).catch((error: unknown) => {
    throw notTaken(`its lock cannot be taken (${String(error)})`, error)
  })
  if (lock === null)
    throw notTaken(`another program has been changing it for ${lockWaitMs / 1000} s`)
  try {
    return work()
  } finally {
    lock.release()
  }
}

function write(paths: Changed, file: MaintenanceFile): MaintenanceFile {
  try {
    writeJson(paths.maintenance, file)
  } catch (error) {
    throw new Problem(
      'maintenance_not_written',
      `Maintenance mode was not turned on: ${String(error)}. The file ${paths.maintenance} is as it was.`,
      { cause: error },
    )
  }
  return file
}

function remove(paths: Changed): void {
  try {
    rmSync(paths.maintenance, { force: true })
  } catch (error) {
    throw new Problem(
      'maintenance_not_written',
      `Maintenance mode is still on: ${paths.maintenance} cannot be removed (${String(error)}).`,
      { cause: error },
    )
  }
}
