import { z } from 'zod'
import { hostToolText } from '#ops/base/process/host-tool'
import { enabledUnits } from '#ops/host/install/units/all'
import { parseJson } from '#ops/base/files/json-file'
import { readMaintenance } from '#ops/core/host-state/maintenance'
import { fail, pass, skip, warn, type Check, type Finding } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'

/** A run that is this much overdue is not coming, milliseconds. */
const overdueMs = 5 * 60_000

/** Properties of one unit as `systemctl show` prints them. */
export type Unit = Readonly<Record<string, string>>
const properties = [
  'Id',
  'LoadState',
  'UnitFileState',
  'ActiveState',
  'SubState',
  'Result',
  'ExecMainStatus',
  'ExecMainCode',
  'NRestarts',
]

const listed = z.array(
  z.looseObject({ unit: z.string(), next: z.number().nullish(), last: z.number().nullish() }),
)
export interface TimerTimes {
  /** Microseconds since 1970; null or 0: none. */ readonly next?: number | null | undefined
  readonly last?: number | null | undefined
}

/** Blocks of `Name=value` lines with an empty line between two units. */
export const parseUnits = (text: string): Map<string, Unit> =>
  new Map(
    text
      .trim()
      .split(/\n\n+/)
      .map((block) => {
        const unit = Object.fromEntries(
          block
            .split('\n')
            .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
        )
        return [unit['Id'] ?? '', unit]
      }),
  )

const ago = (ms: number): string =>
  ms < 120_000
    ? `${Math.round(ms / 1000)} s`
    : ms < 7_200_000
      ? `${Math.round(ms / 60_000)} min`
      : `${Math.round(ms / 3_600_000)} h`

export interface TimerFacts {
  readonly timer: Unit | undefined
  readonly service: Unit | undefined
  readonly times: TimerTimes | undefined
  /** A deploy, or a person, holds it back. */ readonly heldBack: boolean
  readonly now: number
}

/** Will the check come again by itself, and did it come through the last time? */
export function judgeTimer(
  name: string,
  { timer, service, times, heldBack, now }: TimerFacts,
): Finding {
  const unit = `openclaw-${name}.timer`
  if (timer === undefined || timer['LoadState'] !== 'loaded')
    return fail(`${unit} is not installed (${timer?.['LoadState'] ?? 'unknown'}).`, 'install_again')
  if (timer['UnitFileState'] !== 'enabled')
    return fail(
      `${unit} is ${timer['UnitFileState'] ?? 'not enabled'}: it does not come back after a reboot.`,
      'install_again',
    )
  const last = times?.last ? `last run ${ago(now - times.last / 1000)} ago` : 'it has not run yet'
  if (timer['ActiveState'] !== 'active')
    return heldBack
      ? pass(`${unit} is stopped while maintenance is on; ${last}`)
      : fail(
          `${unit} is ${timer['ActiveState'] ?? 'unknown'}, and maintenance is off: ${name} does not run by itself; ${last}.`,
          'install_again',
        )
  const busy = service?.['ActiveState'] === 'activating' || service?.['ActiveState'] === 'active'
  const next = times?.next ? times.next / 1000 : null
  if (!busy && next === null)
    return fail(`${unit} is active, but no next run is planned; ${last}.`, 'install_again')
  if (!busy && next !== null && now - next > overdueMs)
    return fail(`${unit}: the next run is overdue by ${ago(now - next)}; ${last}.`, 'install_again')
  const plan = busy ? 'it runs now' : `next run in ${ago(Math.max(0, (next ?? now) - now))}`
  // What the check found is its own result; a unit that failed did not get as far.
  const result = service?.['Result'] ?? 'unknown'
  if (!busy && result !== 'success')
    return fail(
      `openclaw-${name}.service did not come through: ${result}, exit status ${service?.['ExecMainStatus'] ?? 'unknown'}; ${last}, ${plan}.`,
      'install_again',
    )
  return pass(`${last}; ${plan}${heldBack ? '; held back while maintenance is on' : ''}`)
}

/** Services whose failure is judged with their timer. */
const checkServices = ['openclaw-doctor.service', 'openclaw-guard.service']

/** hostd and the sockets run, come back after a reboot, and nothing of ours is failed. */
export function judgeUnits(units: ReadonlyMap<string, Unit>): Finding {
  const wrong: string[] = []
  const odd: string[] = []
  for (const name of enabledUnits.filter((each) => !each.endsWith('.timer'))) {
    const unit = units.get(name)
    if (unit?.['LoadState'] !== 'loaded') wrong.push(`${name} is not installed`)
    else if (unit['ActiveState'] !== 'active')
      wrong.push(`${name} is ${unit['ActiveState'] ?? 'unknown'} (${unit['Result'] ?? 'unknown'})`)
    else if (unit['UnitFileState'] !== 'enabled')
      wrong.push(
        `${name} is ${unit['UnitFileState'] ?? 'not enabled'}, so it does not come back after a reboot`,
      )
    if (Number(unit?.['NRestarts'] ?? 0) > 0)
      odd.push(`${name} was started again ${unit?.['NRestarts'] ?? '?'} times after it had ended`)
  }
  for (const [name, unit] of units) {
    if (
      unit['ActiveState'] === 'failed' &&
      !checkServices.includes(name) &&
      !(enabledUnits as readonly string[]).includes(name)
    )
      wrong.push(`${name} is failed (${unit['Result'] ?? 'unknown'})`)
  }
  if (wrong.length > 0) return fail(`${[...wrong, ...odd].join('; ')}.`, 'install_again')
  return odd.length > 0
    ? warn(`${odd.join('; ')}.`, 'restart_hostd')
    : pass(`${enabledUnits.length - 2} units of HQ are enabled and active, none is failed`)
}

/** @param context of a host; without systemd every one of these is skipped */
export function timerChecks({ paths, settings }: DoctorContext): Check[] {
  const remedy = 'install_again'
  if (settings.timers === 'none') {
    const none = (): Finding =>
      skip(
        'This host has no timers: its settings say so, as on a machine without systemd. Doctor and guard run only when they are asked for.',
      )
    return ['timer:doctor', 'timer:guard', 'units'].map((name): Check => ({
      name,
      remedy,
      run: none,
    }))
  }
  // Asked once for the three of them.
  let asked: Promise<{ units: Map<string, Unit>; times: Map<string, TimerTimes> }> | undefined
  const read = async (
    signal: AbortSignal,
  ): Promise<{ units: Map<string, Unit>; times: Map<string, TimerTimes> }> => {
    const names = [...enabledUnits, ...checkServices]
    const [shown, timers] = await Promise.all([
      hostToolText(
        ['systemctl', 'show', `--property=${properties.join(',')}`, ...names, 'openclaw-*'],
        signal,
      ),
      hostToolText(['systemctl', 'list-timers', '--all', '--output=json', 'openclaw-*'], signal),
    ])
    const times = parseJson(timers ?? '[]', listed, {
      errorClass: 'internal_error',
      origin: 'systemctl list-timers',
    })
    return {
      units: parseUnits(shown ?? ''),
      times: new Map(times.map((each) => [each.unit, each])),
    }
  }
  const facts = (signal: AbortSignal): ReturnType<typeof read> => {
    asked ??= read(signal)
    return asked
  }
  const timer = (name: 'doctor' | 'guard'): Check => ({
    name: `timer:${name}`,
    remedy,
    run: async (signal) => {
      const { units, times } = await facts(signal)
      const heldBack = name === 'doctor' && readMaintenance(paths).on
      return judgeTimer(name, {
        timer: units.get(`openclaw-${name}.timer`),
        service: units.get(`openclaw-${name}.service`),
        times: times.get(`openclaw-${name}.timer`),
        heldBack,
        now: Date.now(),
      })
    },
  })
  return [
    timer('doctor'),
    timer('guard'),
    { name: 'units', remedy, run: async (signal) => judgeUnits((await facts(signal)).units) },
  ]
}
