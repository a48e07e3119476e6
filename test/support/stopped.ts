import { expect } from 'vitest'
import { errorTable, type ErrorClass } from '#shared/errors'
import type { Deployed, DeployHost } from './host.ts'

/**
 * A deploy that stopped: it says where and why, what ends it, leaves its triage, and leaves maintenance on in its name.
 */
export function expectStop(
  { hostd, maintenance }: DeployHost,
  { run, result, triage }: Deployed,
  errorClass: ErrorClass,
  step: string,
): void {
  const { next_auto_fix } = errorTable[errorClass]
  const said = JSON.stringify(
    [
      result.error_class,
      result.steps.map(({ name, status, detail }) => `${name} ${status} ${detail ?? ''}`),
    ],
    null,
    1,
  )
  expect(result, said).toMatchObject({
    overall: 'FAIL',
    error_class: errorClass,
    step_failed: step,
    next_auto_fix,
    run_id: run.run_id,
  })
  expect(run).toMatchObject({ status: 'failed', error_class: errorClass, step_failed: step })
  expect(triage).toMatchObject({
    run_id: run.run_id,
    error_class: errorClass,
    failing_step: step,
    next_auto_fix,
    first_error: { log: `attempts/${result.attempt}/${step}.log` },
  })
  expect(triage?.evidence.length).toBeGreaterThan(0)
  expect(maintenance(), 'maintenance stays on').toMatchObject({ deploy_run_id: run.run_id })
  expect(hostd.said()).not.toContain('internal_error')
}
