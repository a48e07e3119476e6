import type { Check } from '#ops/core/checks/check'
import { clockChecks } from './clock-checks.ts'
import type { DoctorContext } from '#ops/core/checks/context'
import { allEngines } from '#ops/host/engines/registry'
import { diskChecks } from './disk-checks.ts'
import { secretChecks } from './secret-checks.ts'
import { tailnetChecks } from './tailnet-checks.ts'
import { timerChecks } from './timer-checks.ts'

/** Checks of the machine itself. */
export const hostChecks = (context: DoctorContext): Check[] => [
  ...diskChecks(context),
  ...secretChecks(context),
  ...clockChecks(context),
  ...timerChecks(context),
  ...allEngines.flatMap((engine) => engine.doctorChecks(context)),
  ...tailnetChecks(),
]
