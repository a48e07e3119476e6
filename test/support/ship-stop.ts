import { expect } from 'vitest'
import type { ErrorClass } from '#shared/errors'
import type { RemediationId } from '#shared/errors/remediations'
import type { Shipped, ShipRepo } from './ship-repo.ts'

export interface ExpectedStop {
  readonly error_class: ErrorClass
  readonly step: string
  readonly fix: RemediationId
  readonly exit: 0 | 1 | 2
  /** Part of the failed step's detail. */
  readonly detail?: string
  /** The stop is about the push itself: the remote is compared by the test. */
  readonly remoteMayMove?: true
}

/** Every stop says class, fix and step, leaves a valid document, pushes nothing, and leaves nothing behind. */
export function checkStop(
  sample: ShipRepo,
  head: string,
  shipped: Shipped,
  { error_class, step, fix, exit, detail = '' }: ExpectedStop,
): void {
  const { result, exitCode } = shipped
  const failed = result.steps.find(({ name }) => name === step)
  expect({ error_class: result.error_class, detail: failed?.detail }).toEqual({
    error_class,
    detail: expect.stringContaining(detail) as unknown,
  })
  expect(result).toMatchObject({
    overall: 'FAIL',
    step_failed: step,
    next_auto_fix: fix,
    pushed_sha: null,
    git_head: head,
  })
  expect(failed?.status).toBe(error_class === 'cancelled' ? 'cancelled' : 'failed')
  const after = result.steps.slice(result.steps.findIndex(({ name }) => name === step) + 1)
  expect(after.map(({ status }) => status)).toEqual(after.map(() => 'not_reached'))
  expect(exitCode).toBe(exit)
  expect(sample.leftovers(result.run_id)).toEqual([])
}

/** Ships and expects that stop; the refs of origin are the same afterwards. */
export async function expectStop(
  sample: ShipRepo,
  expected: ExpectedStop,
  env?: Record<string, string>,
): Promise<Shipped> {
  const before = sample.remoteRefs()
  const head = sample.git('rev-parse', 'HEAD')
  const shipped = await sample.ship(env)
  checkStop(sample, head, shipped, expected)
  if (!expected.remoteMayMove) expect(sample.remoteRefs()).toEqual(before)
  return shipped
}
