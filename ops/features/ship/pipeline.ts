// The steps of a ship, in their order.
import type { ShipStep } from '#shared/steps'
import type { Step } from '#ops/core/pipeline/pipeline'
import { preflightStep, type TakeLock } from './preflight/preflight-step.ts'
import { checkStep } from './push/check-step.ts'
import { fastForwardStep } from './push/fast-forward-step.ts'
import { finishStep } from './push/finish-step.ts'
import { repairStep, type RepairFacts } from './repair/repair-step.ts'
import { reviewStep } from './review/review-step.ts'
import type { ShipFacts } from './state/ship-facts.ts'
import { testsStep } from './tests/tests-step.ts'

/** Ships the commit that is checked out. */
export const shipSteps = (takeLock: TakeLock): readonly Step<ShipFacts, ShipStep>[] => [
  preflightStep(takeLock),
  testsStep,
  reviewStep,
  checkStep,
  finishStep,
]

/** Until green: repairs a commit whose tests failed or whose review was refused. */
export const repairSteps = (timeLimitSeconds: number): readonly Step<RepairFacts, ShipStep>[] => [
  repairStep(timeLimitSeconds),
]

/** Until green: ships what a repair made. The operator's branch moves to it right before the push. */
export const repairedShipSteps = (takeLock: TakeLock): readonly Step<ShipFacts, ShipStep>[] => [
  preflightStep(takeLock),
  testsStep,
  reviewStep,
  fastForwardStep,
  checkStep,
  finishStep,
]
