// The triage of a failed deploy: for programs, and for the person who fixes it.
import { join } from 'node:path'
import { errorRule } from '#shared/errors'
import type { DeployResult, Triage } from '#shared/result'
import { firstError, readLogHead } from '#ops/core/pipeline/first-error'
import { failureFingerprint, withoutNumbers } from '#ops/core/pipeline/failure-fingerprint'

interface Where {
  /** Folder of the last attempt. */
  readonly dir: string
  /** Folder the triage lies in. Paths in it are relative to this one. */
  readonly base: string
  readonly extra?: readonly string[]
}

export function triageOf(result: DeployResult, { dir, base, extra = [] }: Where): Triage {
  const errorClass = result.error_class ?? 'internal_error'
  const step = result.steps.find(({ name }) => name === result.step_failed)
  const log = step?.log ?? null
  const folder = dir.slice(base.length).replace(/^\//, '')
  const logPath = log === null ? null : join(folder, log)
  const text = log === null ? null : readLogHead(join(dir, log))
  const found = text === null ? null : firstError(text)
  return {
    schema_version: 1,
    run_id: result.run_id,
    error_class: errorClass,
    failing_step: result.step_failed,
    retryable: errorRule(errorClass).retryable === true,
    next_auto_fix: errorRule(errorClass).next_auto_fix,
    first_error: found && logPath !== null ? { ...found, log: logPath } : null,
    fingerprint: failureFingerprint([
      result.error_class,
      result.step_failed,
      withoutNumbers(found?.text ?? step?.detail ?? ''),
    ]),
    attempts: result.attempt,
    evidence: [
      ...(step?.detail ? [step.detail] : []),
      ...(logPath === null ? [] : [logPath]),
      ...extra,
    ],
    written_at: new Date().toISOString(),
  }
}
