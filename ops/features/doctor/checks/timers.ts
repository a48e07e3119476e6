import { fail, pass, type Finding } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { readMaintenance } from '#ops/core/host-state/maintenance'
import { noTimers, unitsOf, type TimerTimes, type Unit } from '../facts/units.ts'

function timerCheck(name: 'doctor' | 'guard'): HostCheck {
  return {
    name: `timer:${name}`,
    title: `Timer of ${name}`,
    description: `systemd runs ${name} regularly, and its last run finished.`,
    remedies: ['install_again'],
    run: async (context, signal) => {
      const none = noTimers(context)
      if (none) return none
      const { units, times } = await unitsOf(context, signal)
      return judgeTimer(name, {
        timer: units.get(`openclaw-${name}.timer`),
        service: units.get(`openclaw-${name}.service`),
        times: times.get(`openclaw-${name}.timer`),
        heldBack: name === 'doctor' && readMaintenance(context.paths).on,
        now: Date.now(),
      })
    },
  }
}

export const timerDoctor = timerCheck('doctor')
export const timerGuard = timerCheck('guard')

/** A run that is overdue by this much will not start, milliseconds. */
const overdueMs = 5 * 60_000

function ago(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`
  return `${Math.round(ms / 3_600_000)} h`
}

export interface TimerFacts {
  readonly timer: Unit | undefined
  readonly service: Unit | undefined
  readonly times: TimerTimes | undefined
  /** Maintenance holds it back. */
  readonly heldBack: boolean
  /** Milliseconds since 1970. */
  readonly now: number
}

/** Will systemd run the check again, and did the last run end without an error of the unit? */
export function judgeTimer(
  name: string,
  { timer, service, times, heldBack, now }: TimerFacts,
): Finding {
  const unit = `openclaw-${name}.timer`
  if (timer === undefined || timer['LoadState'] !== 'loaded')
    return fail(`${unit} is not installed (${timer?.['LoadState'] ?? 'unknown'}).`, 'install_again')
  if (timer['UnitFileState'] !== 'enabled')
    return fail(
      `${unit} is ${timer['UnitFileState'] ?? 'not enabled'}: it does not start after a reboot.`,
      'install_again',
    )
  const last = times?.last ? `last run ${ago(now - times.last / 1000)} ago` : 'it has not run yet'
  if (timer['ActiveState'] !== 'active')
    return heldBack
      ? pass(`${unit} is stopped while maintenance is on; ${last}`)
      : fail(
          `${unit} is ${timer['ActiveState'] ?? 'unknown'}, and maintenance is off: nothing starts ${name}; ${last}.`,
          'install_again',
        )
  const busy = service?.['ActiveState'] === 'activating' || service?.['ActiveState'] === 'active'
  const next = times?.next ? times.next / 1000 : null
  if (!busy && next === null)
    return fail(`${unit} is active, but no next run is planned; ${last}.`, 'install_again')
  if (!busy && next !== null && now - next > overdueMs)
    return fail(`${unit}: the next run is overdue by ${ago(now - next)}; ${last}.`, 'install_again')
  const plan = busy ? 'it runs now' : `next run in ${ago(Math.max(0, (next ?? now) - now))}`
  // A check that found something wrong ends well as a unit. A failed unit did not finish the check.
  const result = service?.['Result'] ?? 'unknown'
  const exitStatus = service?.['ExecMainStatus'] ?? 'unknown'
  if (!busy && result !== 'success')
    return fail(
      `openclaw-${name}.service did not finish: ${result}, exit status ${exitStatus}; ${last}, ${plan}.`,
      'install_again',
    )
  return pass(`${last}; ${plan}${heldBack ? '; held back while maintenance is on' : ''}`)
}
