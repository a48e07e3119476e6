// Every unit of a host.
import { hostdService, hostdSocket } from './hostd.ts'
import type { UnitPaths } from './unit-settings.ts'
import { runnerService, runnerSocket } from './runner.ts'
import { doctorService, doctorTimer, guardService, guardTimer } from './timers.ts'
import { upgradeService } from './upgrade.ts'

/** First line of every unit. HQ never replaces or removes a unit file without it. */
export const unitMark =
  '# Written by `hq install hostd`, which replaces it. Changes of your own belong in a drop-in.'

/** Every unit of a host: file name to content. */
export function allUnits(host: UnitPaths): Readonly<Record<string, string>> {
  const units = {
    'openclaw-hostd.socket': hostdSocket(host),
    'openclaw-hostd.service': hostdService(host),
    'openclaw-runner.socket': runnerSocket(host),
    'openclaw-runner@.service': runnerService(host),
    'openclaw-upgrade@.service': upgradeService(host),
    'openclaw-doctor.service': doctorService(host),
    'openclaw-doctor.timer': doctorTimer(host),
    'openclaw-guard.service': guardService(host),
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
