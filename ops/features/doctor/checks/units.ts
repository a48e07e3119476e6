import { fail, pass, warn, type Finding } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { enabledUnits } from '#ops/host/install/units/all'
import { noTimers, timedServices, unitsOf, type Unit } from '../facts/units.ts'

export const units: HostCheck = {
  name: 'units',
  title: 'Units of systemd',
  description: 'hostd and its sockets are enabled and active, and no unit of HQ has failed.',
  remedies: ['install_again', 'restart_hostd'],
  run: async (context, signal) =>
    noTimers(context) ?? judgeUnits((await unitsOf(context, signal)).units),
}

/** hostd and its sockets run and start after a reboot, and no unit of HQ has failed. */
export function judgeUnits(units: ReadonlyMap<string, Unit>): Finding {
  const wrong: string[] = []
  const unusual: string[] = []
  for (const name of enabledUnits.filter((each) => !each.endsWith('.timer'))) {
    const unit = units.get(name)
    if (unit?.['LoadState'] !== 'loaded') wrong.push(`${name} is not installed`)
    else if (unit['ActiveState'] !== 'active')
      wrong.push(`${name} is ${unit['ActiveState'] ?? 'unknown'} (${unit['Result'] ?? 'unknown'})`)
    else if (unit['UnitFileState'] !== 'enabled')
      wrong.push(
        `${name} is ${unit['UnitFileState'] ?? 'not enabled'}, so it does not start after a reboot`,
      )
    if (Number(unit?.['NRestarts'] ?? 0) > 0)
      unusual.push(`${name} was restarted ${unit?.['NRestarts'] ?? '?'} times after it had ended`)
  }
  for (const [name, unit] of units) {
    if (
      unit['ActiveState'] === 'failed' &&
      !timedServices.includes(name) &&
      !(enabledUnits as readonly string[]).includes(name)
    )
      wrong.push(`${name} is failed (${unit['Result'] ?? 'unknown'})`)
  }
  if (wrong.length > 0) return fail(`${[...wrong, ...unusual].join('; ')}.`, 'install_again')
  return unusual.length > 0
    ? warn(`${unusual.join('; ')}.`, 'restart_hostd')
    : pass(`${enabledUnits.length - 2} units of HQ are enabled and active, none is failed`)
}
