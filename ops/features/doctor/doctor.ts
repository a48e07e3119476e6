import type { CheckResult } from '#shared/result'
import { auditChecks } from '#ops/features/port-audit/index'
import { runChecks, type Check } from '#ops/core/checks/check'
import { cloneChecks } from './clone-checks.ts'
import { deployChecks } from './deploy-checks.ts'
import { funnelChecks } from './funnel-checks.ts'
import { hostChecks } from './host-checks.ts'
import { consoleChecks, hostdChecks, serviceChecks } from './service-checks.ts'
import { unprovenChecks } from './unproven-checks.ts'
import type { DoctorContext } from '#ops/core/checks/context'

/** Limit of a check within a deploy, milliseconds: the host has just built and started something, and to be slow then is no failure of what was deployed. */
const inDeployMs = 10_000

/** All of doctor (design §8): independent checks, in parallel, each with its own time limit. */
export function runDoctor(context: DoctorContext, signal?: AbortSignal): Promise<CheckResult[]> {
  const limits = context.deployRunId === null ? {} : { limitMs: inDeployMs }
  const checks: Check[] = [
    ...hostdChecks(context),
    ...consoleChecks(context),
    ...serviceChecks(context),
    ...deployChecks(context),
    ...cloneChecks(context),
    ...unprovenChecks(context),
    ...hostChecks(context),
    ...funnelChecks(context),
    ...auditChecks(context, limits.limitMs),
  ]
  return runChecks(
    checks.map((check) => ({ ...check, ...limits })),
    signal,
  )
}
