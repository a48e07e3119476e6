import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { errorRule } from '#shared/errors'
import { projectState } from '#shared/result'
import { seeded } from '../seeded.ts'
import type { DeployFailure } from './deploy-failures/index.ts'
import type { DeployHost } from './deploy-host.ts'
import { productionPaths as paths } from './host.ts'

/**
 * Plants one failure, deploys, and requires the class, the step and the first error line in the triage, maintenance on,
 * a state that still names the last green commit, and the old version serving when nothing was switched.
 * @param good commit that was green last, whose app says `good`
 * @returns the commit that is green now
 */
export async function expectFailure(
  at: DeployHost,
  { name, errorClass, step, before, plant }: DeployFailure,
  seed: number,
  good: string,
): Promise<string> {
  const { says, file, line, undo } = await plant(at, seeded(seed))
  try {
    const { run, result, triage } = await at.deploy()
    const steps = result.steps.map((each) => `${each.name} ${each.status} ${each.detail ?? ''}`)
    const context = `seed ${seed}, ${name}: ${JSON.stringify([triage, steps], null, 1)}`
    expect(result, context).toMatchObject({
      overall: 'FAIL',
      error_class: errorClass,
      step_failed: step,
      next_auto_fix: errorRule(errorClass).next_auto_fix,
    })
    expect(triage, context).toMatchObject({
      run_id: run.run_id,
      error_class: errorClass,
      failing_step: step,
      first_error: { log: `attempts/${result.attempt}/${step}.log` },
    })
    expect(triage?.first_error?.text, context).toContain(says)
    if (file !== undefined)
      expect(triage?.first_error, context).toMatchObject({ file, file_line: line })
    expect(at.maintenance(), context).toMatchObject({ deploy_run_id: run.run_id })
    if (before !== false)
      expect(await at.serves(), context).toEqual({ ok: true, message: 'good', commit: good })
  } finally {
    await undo?.()
  }
  expect(
    projectState.parse(JSON.parse(readFileSync(at.rig.path(paths.projectState), 'utf8')))
      .last_verified_head,
    `seed ${seed}, ${name}`,
  ).toBe(good)
  if (before !== false) return good
  // What failed after the switch serves until the next deploy.
  const next = await at.ship('good')
  const { result } = await at.deploy()
  expect(result, JSON.stringify(result.steps, null, 1)).toMatchObject({
    overall: 'PASS',
    target_sha: next,
  })
  return next
}
