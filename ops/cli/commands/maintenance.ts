import { Problem } from '#shared/errors'
import type { MaintenanceState } from '#shared/api'
import { personName } from '#shared/maintenance'
import { setTimers } from '#ops/core/host-state/timers'
import { runHere } from '#ops/host/hostd-client/check-command'
import { doneDocument } from '#ops/core/pipeline/documents'
import { exitUsage } from '#ops/core/pipeline/exit-codes'
import { hostClient, runThroughHostd } from '#ops/host/hostd-client/index'
import { readMaintenance, turnMaintenanceOff } from '#ops/core/host-state/maintenance'
import { hostPaths } from '#ops/base/paths/paths'
import { runContext } from '#ops/core/pipeline/run-context'
import { readHostSettings } from '#ops/core/config/settings-files'

interface MaintenanceOptions {
  readonly set: string
  readonly json?: boolean
}

const sentence = ({ on, unreadable, file }: MaintenanceState): string => {
  if (unreadable !== null)
    return `Maintenance mode counts as on, because its file cannot be read: ${unreadable}`
  if (!on || !file) return 'Maintenance mode is off.'
  const owner = file.deploy_run_id === null ? '' : ` for deploy ${file.deploy_run_id}`
  const { hold } = file
  const person = hold ? ` ${personName(hold)} holds it since ${hold.since}: ${hold.reason}` : ''
  return `Maintenance mode is on since ${file.since}${owner}: ${file.reason}${person && `.${person}`}`
}

function show(state: MaintenanceState, json: boolean): number {
  process.stdout.write(json ? `${JSON.stringify(state, null, 2)}\n` : `${sentence(state)}\n`)
  return 0
}

/** `hq maintenance status|on|off`. Within a run, `off` is the action maintenance_clear. @returns the exit code */
export async function run({ set, json = false }: MaintenanceOptions): Promise<number> {
  switch (set) {
    case 'status':
      return show(readMaintenance(hostPaths()), json)
    case 'on':
      return show(await hostClient().turnMaintenanceOn('turned on at a terminal of the host'), json)
    case 'off':
      return runContext().startedByRunner
        ? await clear()
        : await runThroughHostd('maintenance_clear', {}, { json })
    default:
      process.stderr.write(`hq maintenance takes status, on or off, not ${JSON.stringify(set)}\n`)
      return exitUsage
  }
}

const clear = (): Promise<number> =>
  runHere('maintenance_clear', async ({ context, log, signal }) => {
    const started_at = new Date().toISOString()
    const paths = hostPaths()
    const before = readMaintenance(paths)
    log(sentence(before))
    await turnMaintenanceOff(paths)
    if (readMaintenance(paths).on)
      throw new Problem(
        'maintenance_not_written',
        `Maintenance mode is still on: ${paths.maintenance} exists again.`,
      )
    log(before.on ? 'Maintenance mode is off now.' : 'Nothing was changed.')
    // The deploy that turned maintenance on stopped the timer.
    if (before.on) log(await setTimers(readHostSettings(paths), 'start', signal))
    return doneDocument(context.runId, started_at)
  })
