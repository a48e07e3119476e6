import { fail, pass, warn } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { readMaintenance } from '#ops/core/host-state/maintenance'

export const maintenance: HostCheck = {
  name: 'maintenance',
  title: 'Maintenance mode',
  description: 'Maintenance mode is off, or on for the deploy that runs this check.',
  remedies: ['deploy_again', 'repair_artifacts_folder'],
  run: ({ paths, deployRunId }) => {
    const { on, unreadable, file } = readMaintenance(paths)
    if (unreadable !== null)
      return fail(
        `The maintenance file cannot be read, so maintenance counts as on: ${unreadable}`,
        'repair_artifacts_folder',
      )
    if (!on || !file) return pass('Maintenance mode is off.')
    if (deployRunId !== null && file.deploy_run_id === deployRunId)
      return pass('Maintenance mode is on for this deploy.')
    return warn(
      `Maintenance mode has been on for ${age(file.since)}: ${file.reason}`,
      'deploy_again',
    )
  },
}

const age = (since: string): string => {
  const minutes = Math.round((Date.now() - Date.parse(since)) / 60_000)
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
