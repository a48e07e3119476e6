import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Problem } from '#shared/errors'
import type { ShipResult } from '#shared/result'
import { reviewAnswer } from '#shared/verdict'
import { readLogTail } from '#ops/core/pipeline/first-error'
import { readJson } from '#ops/base/files/json-file'
import { redact } from '#ops/base/redact/redaction'
import type { Failure } from './implementer-prompt.ts'
import { questionFiles } from '#ops/features/ship/review/review-requests'

/** Most of the failed step's log that the implementer is shown, in characters. */
const maxTail = 16_000

/** What is repaired: failing tests and a refused review. Everything else is not the change's fault, or not to be mended by changing it. */
const repairable = (errorClass: string): errorClass is Failure['errorClass'] =>
  errorClass === 'tests_failed' || errorClass === 'review_blocked'

/** Without what is secret: it is shown to somebody else. @param dir folder of the attempt @returns null when this failure is not one to be repaired */
export function failureOf(dir: string, result: ShipResult, problem: Problem): Failure | null {
  const { errorClass, message, evidence } = problem
  if (!repairable(errorClass)) return null
  const step = result.steps.find(({ name }) => name === result.step_failed)
  const log = step?.log ? (readLogTail(join(dir, step.log)) ?? '') : ''
  const findings =
    errorClass === 'review_blocked'
      ? (readJson(join(dir, questionFiles.review_answer), reviewAnswer, 'review_invalid')
          ?.findings ?? [])
      : []
  return {
    errorClass,
    ...redact.json({ message, evidence, findings, logTail: log.slice(-maxTail) }),
  }
}

/** What differs from one run to the next without the failure being another one. */
const normalised = (text: string): string =>
  text
    .replace(/\b\d{8}T\d{6}Z-[0-9a-f]{8}\b/g, '<run>')
    .replace(/openclaw-worktree-\w+/g, '<worktree>')
    .replace(/\b[0-9a-f]{12,64}\b/g, '<hex>')
    .replace(/\b\d+(?:\.\d+)?\s?m?s\b/g, '<time>')

/** Equal for the same failure: the same findings, or the same tests failing with the same words. */
export function fingerprintOf({ errorClass, message, evidence, findings }: Failure): string {
  const what =
    findings.length > 0
      ? findings.map(({ severity, file, title }) => `${severity} ${file} ${title}`)
      : evidence.length > 0
        ? evidence
        : [message]
  return createHash('sha256')
    .update(JSON.stringify([errorClass, what.map(normalised).toSorted()]))
    .digest('hex')
}
