// What systemd says about the units of HQ.
import { z } from 'zod'
import { parseJson } from '#ops/base/files/json-file'
import { hostToolText } from '#ops/base/process/host-tool'
import { skip, type Finding } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'
import { enabledUnits } from '#ops/host/install/units/all'
import { oncePerRun } from './once-per-run.ts'

/** Properties of one unit as `systemctl show` prints them. */
export type Unit = Readonly<Record<string, string>>

export interface TimerTimes {
  /** Microseconds since 1970; null or 0: none. */
  readonly next?: number | null | undefined
  readonly last?: number | null | undefined
}

interface Units {
  readonly units: ReadonlyMap<string, Unit>
  readonly times: ReadonlyMap<string, TimerTimes>
}

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

/** Services that the check of their timer judges. */
export const timedServices = ['openclaw-doctor.service', 'openclaw-guard.service']

/** Units and timers, read once per run. */
export const unitsOf = (context: DoctorContext, signal: AbortSignal): Promise<Units> =>
  oncePerRun(context, 'units', () => readUnits(signal))

/** Why this host has no units; null when it has. */
export const noTimers = ({ settings }: DoctorContext): Finding | null =>
  settings.timers === 'none'
    ? skip(
        'This host has no timers: host.json says so, as on a machine without systemd. ' +
          'Doctor and guard run only on request.',
      )
    : null

async function readUnits(signal: AbortSignal): Promise<Units> {
  const names = [...enabledUnits, ...timedServices]
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

/** Reads blocks of `Name=value` lines, with an empty line between two units. */
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
