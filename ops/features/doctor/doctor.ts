import type { CheckResult } from '#shared/result'
import { runChecks, type Check } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'
import { checkOf } from '#ops/core/checks/host-check'
import { auditChecks } from '#ops/features/port-audit/index'
import { doctorChecks } from './checks.ts'

/**
 * Limit of a check within a deploy, milliseconds. The host has just built and started something: a slow answer is not
 * a failure of what was deployed.
 */
const inDeployMs = 10_000

/** Runs doctor: every check of `doctorChecks` and the port audit, in parallel, each with its own time limit. */
export function runDoctor(host: DoctorContext, signal?: AbortSignal): Promise<CheckResult[]> {
  // Facts that checks share are read once per run, so each run has its own context object.
  const context = { ...host }
  const limits = context.deployRunId === null ? {} : { limitMs: inDeployMs }
  const checks: Check[] = [
    ...doctorChecks.map((each) => checkOf(each, context)),
    ...auditChecks(context, limits.limitMs),
  ]
  return runChecks(
    checks.map((check) => ({ ...check, ...limits })),
    signal,
  )
}
