import { Problem } from '#shared/errors'
import { readMaintenance } from '#ops/core/host-state/maintenance'
import type { GuardHost, Probe, Remediation } from './remediation.ts'
import { isMasked, systemctl, unitState, type UnitState } from './systemctl.ts'

const doctorTimer = 'openclaw-doctor.timer'
const timers = [doctorTimer, 'openclaw-guard.timer'] as const

const isOn = ({ UnitFileState, ActiveState }: UnitState): boolean =>
  UnitFileState === 'enabled' && ActiveState === 'active'

async function probeTimer(
  { paths }: GuardHost,
  unit: string,
  signal?: AbortSignal,
): Promise<Probe> {
  const state = await unitState(unit, 'guard_failed', signal)
  const of = (kind: Probe['state'], detail: string): Probe => ({
    target: unit,
    check: `timer:${unit}`,
    state: kind,
    detail: `${unit} ${detail}`,
    remedy: 'prepare_host',
  })
  if (state.LoadState === 'not-found') return of('fail', 'is not installed')
  if (isMasked(state))
    return of('warn', 'is masked, which a person did on purpose; guard leaves it alone')
  if (isOn(state)) return of('good', 'is enabled and active')
  // A deploy stops it, and a failed one leaves it stopped with maintenance on.
  if (unit === doctorTimer && state.UnitFileState === 'enabled' && readMaintenance(paths).on)
    return of('good', 'is stopped, as maintenance mode requires')
  return of('due', `is ${state.UnitFileState} and ${state.ActiveState}`)
}

export const enableTimer: Remediation = {
  id: 'enable_timer',
  undone: 'WARN',
  probe: (host, signal) =>
    host.settings.timers === 'systemd'
      ? Promise.all(timers.map((unit) => probeTimer(host, unit, signal)))
      : [
          {
            target: 'timers',
            check: 'timers',
            state: 'skip',
            detail: 'host.json says that this host has no timers',
          },
        ],
  apply: async (_host, unit, signal) => {
    await systemctl(['enable', '--now', '--quiet', unit], { errorClass: 'guard_failed', signal })
    const after = await unitState(unit, 'guard_failed', signal)
    if (!isOn(after))
      throw new Problem(
        'guard_failed',
        `${unit} was enabled and started, and is ${after.UnitFileState} and ${after.ActiveState}.`,
      )
    return { acted: true, reason: 'it was enabled and started, and is active' }
  },
}
