// What the implementer is shown of a failure, and whether two failures are the same.
import { join } from 'node:path'
import type { Problem } from '#shared/errors'
import type { ShipResult } from '#shared/result'
import { reviewAnswer } from '#shared/verdict'
import { readLogTail } from '#ops/core/pipeline/first-error'
import { readJson } from '#ops/base/files/json-file'
import { redact } from '#ops/base/redact/redaction'
import type { Failure } from './implementer-prompt.ts'
import { requestFiles } from '#ops/features/ship/review/proof-files'
import { failureFingerprint, withoutIds } from '#ops/core/pipeline/failure-fingerprint'

/** Most of the failed step's log that the implementer is shown, in characters. */
const maxTail = 16_000

/**
 * The failure without secrets: the implementer is somebody else.
 * @param dir folder of the attempt
 * @returns null for a failure that is not repaired
 */
export function failureOf(dir: string, result: ShipResult, problem: Problem): Failure | null {
  const { errorClass, message, evidence } = problem
  if (!repairable(errorClass)) return null
  const step = result.steps.find(({ name }) => name === result.step_failed)
  const log = step?.log ? (readLogTail(join(dir, step.log)) ?? '') : ''
  const findings =
    errorClass === 'review_blocked'
      ? (readJson(join(dir, requestFiles.review_answer), reviewAnswer, 'review_invalid')
          ?.findings ?? [])
      : []
  return {
    errorClass,
    ...redact.json({ message, evidence, findings, logTail: log.slice(-maxTail) }),
  }
}

/** Equal for the same failure: the same findings, or the same tests failing with the same text. */
export const fingerprintOf = (failure: Failure): string =>
  failureFingerprint([failure.errorClass, essenceOf(failure).map(withoutIds).toSorted()])

function essenceOf({ message, evidence, findings }: Failure): readonly string[] {
  if (findings.length > 0)
    return findings.map(({ severity, file, title }) => `${severity} ${file} ${title}`)
  return evidence.length > 0 ? evidence : [message]
}

/** Failing tests and a refused review are repaired. Any other failure has another cause, or no change cures it. */
const repairable = (errorClass: string): errorClass is Failure['errorClass'] =>
  errorClass === 'tests_failed' || errorClass === 'review_blocked'
