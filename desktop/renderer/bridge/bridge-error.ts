import type { BridgeProblem } from '#shared/bridge'
import { errorRule, Problem, type ErrorClass } from '#shared/errors'
import type { RemediationId } from '#shared/errors/remediations'

/** An expected failure of a bridge call: what the page shows instead of the answer. */
export class BridgeError extends Error {
  readonly errorClass: ErrorClass
  readonly nextAutoFix: RemediationId
  constructor({ error_class, message, next_auto_fix }: BridgeProblem) {
    super(message)
    this.name = 'BridgeError'
    this.errorClass = error_class
    this.nextAutoFix = next_auto_fix
  }
}

/** A problem of one class with the fix the table names for it. */
export const problemOf = (error_class: ErrorClass, message: string): BridgeProblem => ({
  error_class,
  message,
  next_auto_fix: errorRule(error_class).next_auto_fix,
})

/** Anything that was thrown, as it crosses the bridge. */
export function toBridgeProblem(thrown: unknown): BridgeProblem {
  const { errorClass, message, nextAutoFix } = toBridgeError(thrown)
  return { error_class: errorClass, message, next_auto_fix: nextAutoFix }
}

/** Anything that was thrown, as a bridge error; a bug keeps its message. */
export function toBridgeError(thrown: unknown): BridgeError {
  if (thrown instanceof BridgeError) return thrown
  if (thrown instanceof Problem)
    return new BridgeError(problemOf(thrown.errorClass, thrown.message))
  return new BridgeError(
    problemOf('internal_error', thrown instanceof Error ? thrown.message : String(thrown)),
  )
}
