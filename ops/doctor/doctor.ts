import type { CheckResult } from '#shared/result'
import { auditChecks } from '#ops/ports/checks'
import { runChecks } from './check.ts'
import { cloneChecks } from './clone-checks.ts'
import { deployChecks } from './deploy-checks.ts'
import { funnelChecks } from './funnel-checks.ts'
import { hostChecks } from './host-checks.ts'
import { consoleChecks, hostdChecks, serviceChecks } from './service-checks.ts'
import { unprovenChecks } from './unproven-checks.ts'
import type { DoctorContext } from './context.ts'

/** All of doctor (design §8): independent checks, in parallel, each with its own time limit. */
export const runDoctor = (context: DoctorContext, signal?: AbortSignal): Promise<CheckResult[]> => runChecks([
  ...hostdChecks(context), ...consoleChecks(context), ...serviceChecks(context), ...deployChecks(context), ...cloneChecks(context),
  ...unprovenChecks(context), ...hostChecks(context), ...funnelChecks(context), ...auditChecks(context),
], signal)
