import { hostdService, hostdSocket } from './hostd.ts'
import type { UnitPlace } from './unit-settings.ts'
import { runnerService, runnerSocket } from './runner.ts'
import { doctorService, doctorTimer, guardService, guardTimer } from './timers.ts'
import { upgradeService } from './upgrade.ts'

/** First line of every unit: a file without it is somebody else's and is never replaced or removed. */
export const unitMark =
  '# Written by `hq install hostd`, which replaces it. Changes of your own belong in a drop-in.'

/** Every unit of a host: file name to content. */
export function allUnits(place: UnitPlace): Readonly<Record<string, string>> {
  const units = {
    'openclaw-hostd.socket': hostdSocket(place),
    'openclaw-hostd.service': hostdService(place),
    'openclaw-runner.socket': runnerSocket(place),
    'openclaw-runner@.service': runnerService(place),
    'openclaw-upgrade@.service': upgradeService(place),
    'openclaw-doctor.service': doctorService(place),
    'openclaw-doctor.timer': doctorTimer(place),
    'openclaw-guard.service': guardService(place),
    'openclaw-guard.timer': guardTimer(),
  }
  return Object.fromEntries(
    Object.entries(units).map(([name, text]) => [name, `${unitMark}\n${text}`]),
  )
}

/** The daemon itself: what it runs from and reads takes effect when it is started again. */
export const hostdUnit = 'openclaw-hostd.service'

/** Enabled and started, in this order; the rest is started by these. */
export const enabledUnits = [
  'openclaw-runner.socket',
  'openclaw-hostd.socket',
  'openclaw-hostd.service',
  'openclaw-doctor.timer',
  'openclaw-guard.timer',
] as const
