import { lstatSync, rmSync } from 'node:fs'
import { Problem } from '#shared/errors'
import type { MaintenanceState } from '#shared/api'
import { maintenanceFile, type MaintenanceFile } from '#shared/run'
import { messageOf } from '#shared/system-error'
import { readJson, writeJson } from '#ops/base/files/json-file'
import type { HostPaths } from '#ops/base/paths/paths'

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
 * Turns maintenance on, or hands one that is on to another owner.
 * @param deployRunId the deploy that holds it; its DoD is let through. null when a person holds it
 * @throws {Problem} `maintenance_not_written`
 */
export function turnMaintenanceOn(
  paths: Pick<HostPaths, 'maintenance'>,
  { deployRunId, reason }: { deployRunId: string | null; reason: string },
): MaintenanceFile {
  const file: MaintenanceFile = {
    schema_version: 1,
    deploy_run_id: deployRunId,
    reason,
    since: new Date().toISOString(),
  }
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

/**
 * Turns maintenance off, also when its file cannot be read.
 * @returns whether it was on before
 * @throws {Problem} `maintenance_not_written` when the file cannot be removed
 */
export function turnMaintenanceOff(paths: Pick<HostPaths, 'maintenance'>): boolean {
  const { on } = readMaintenance(paths)
  try {
    rmSync(paths.maintenance, { force: true })
  } catch (error) {
    throw new Problem(
      'maintenance_not_written',
      `Maintenance mode is still on: ${paths.maintenance} cannot be removed (${String(error)}).`,
      { cause: error },
    )
  }
  return on
}
