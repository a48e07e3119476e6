import { Problem } from '#shared/errors'
import { maintenanceReply, type MaintenanceState } from '#shared/api'
import { setTimers } from '../deploy/timers.ts'
import { runHere } from '../doctor/check-command.ts'
import { doneDocument } from '../done-document.ts'
import { exitUsage } from '../exit-codes.ts'
import { hostClient, runThroughHostd } from '../host-client.ts'
import { readMaintenance, turnMaintenanceOff } from '../maintenance.ts'
import { hostPaths } from '../paths.ts'
import { runContext } from '../run-context.ts'
import { readHostSettings } from '../settings-files.ts'

interface MaintenanceOptions {
  readonly set: string
  readonly json?: boolean
}

const sentence = ({ on, unreadable, file }: MaintenanceState): string => {
  if (unreadable !== null)
    return `Maintenance mode counts as on, because its file cannot be read: ${unreadable}`
  return on && file
    ? `Maintenance mode is on since ${file.since}${file.deploy_run_id === null ? '' : ` for deploy ${file.deploy_run_id}`}: ${file.reason}`
    : 'Maintenance mode is off.'
}

function show(state: MaintenanceState, json: boolean): number {
  process.stdout.write(json ? `${JSON.stringify(state, null, 2)}\n` : `${sentence(state)}\n`)
  return 0
}

/** `hq maintenance status|on|off`. Inside a run, `off` is the action maintenance_clear. @returns the exit code */
export async function run({ set, json = false }: MaintenanceOptions): Promise<number> {
  switch (set) {
    case 'status':
      return show(readMaintenance(hostPaths(process.env)), json)
    case 'on':
      return show(
        (
          await hostClient().get('/api/maintenance', maintenanceReply, {
            method: 'PUT',
            body: { reason: 'turned on at a terminal of the host' },
          })
        ).maintenance,
        json,
      )
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
    const paths = hostPaths(process.env)
    const before = readMaintenance(paths)
    log(sentence(before))
    turnMaintenanceOff(paths)
    if (readMaintenance(paths).on)
      throw new Problem(
        'maintenance_not_written',
        `Maintenance mode is still on: ${paths.maintenance} is there again.`,
      )
    log(before.on ? 'Maintenance mode is off now.' : 'Nothing was changed.')
    if (before.on) log(await setTimers(readHostSettings(paths), 'start', signal)) // the deploy that turned it on stopped it
    return doneDocument(context.runId, started_at)
  })
