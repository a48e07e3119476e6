// A check: what it is, how it is run, and the document of a list of them.
import { setTimeout as delay } from 'node:timers/promises'
import { errorRule, toProblem, type ErrorClass } from '#shared/errors'
import type { RemediationId } from '#shared/errors/remediations'
import type { CheckResult, ChecksResult } from '#shared/result'
import { resultFieldsOf } from '#ops/core/pipeline/documents'

/** The result of a check, before its name and duration are added. */
export interface Finding {
  readonly status: CheckResult['status']
  readonly detail: string
  readonly remedy?: RemediationId
}

/** One question about the host. It is independent of every other check and changes nothing. */
export interface Check {
  readonly name: string
  readonly run: (signal: AbortSignal) => Promise<Finding> | Finding
  /** Milliseconds; default 2 s. */
  readonly limitMs?: number
  /** The status when it exceeds its limit; default FAIL. WARN where only a remote system may be slow. */
  readonly late?: 'FAIL' | 'WARN'
  /** Remedy when it exceeds its limit, or throws an error whose class names no remedy. */
  readonly remedy: RemediationId
}

const defaultLimitMs = 2_000
const stepMs = 50

export const pass = (detail: string): Finding => ({ status: 'PASS', detail })
export const skip = (detail: string): Finding => ({ status: 'SKIP', detail })
export const warn = (detail: string, remedy: RemediationId): Finding => ({
  status: 'WARN',
  detail,
  remedy,
})
export const fail = (detail: string, remedy: RemediationId): Finding => ({
  status: 'FAIL',
  detail,
  remedy,
})

/** Runs all checks at once. One that throws or exceeds its limit fails and does not delay the others. */
export const runChecks = (checks: readonly Check[], signal?: AbortSignal): Promise<CheckResult[]> =>
  Promise.all(checks.map((check) => runCheck(check, signal)))

/**
 * Waits `ms` milliseconds in small steps. Time in which this process was busy, or did not get the processor, counts as
 * one step however long it was. An answer is not late while this process could not have received it.
 * @throws {Error} an AbortError when `signal` fires
 */
export async function waitInSteps(ms: number, signal: AbortSignal): Promise<void> {
  for (let left = ms; left > 0; left -= stepMs)
    await delay(Math.min(stepMs, left), undefined, { signal })
}

async function runCheck(
  { name, run, limitMs = defaultLimitMs, late: lateStatus = 'FAIL', remedy }: Check,
  outer?: AbortSignal,
): Promise<CheckResult> {
  const started = performance.now()
  const abort = new AbortController()
  const cancel = (): void => abort.abort()
  outer?.addEventListener('abort', cancel, { once: true })
  let finding: Finding
  try {
    const late = waitInSteps(limitMs, abort.signal).then(
      (): Finding => ({
        status: lateStatus,
        detail: `The check gave no answer within ${limitMs / 1000} s.`,
        remedy,
      }),
      () => fail('The check was cancelled.', 'start_again'),
    )
    finding = await Promise.race([Promise.resolve(run(abort.signal)), late])
  } catch (error) {
    const problem = toProblem(error)
    finding = fail(
      problem.message,
      problem.errorClass === 'internal_error'
        ? remedy
        : errorRule(problem.errorClass).next_auto_fix,
    )
  } finally {
    outer?.removeEventListener('abort', cancel)
    abort.abort()
  }
  const needsRemedy = finding.status === 'WARN' || finding.status === 'FAIL'
  return {
    name,
    status: finding.status,
    detail: finding.detail,
    remedy: needsRemedy ? (finding.remedy ?? remedy) : null,
    duration_ms: Math.round(performance.now() - started),
  }
}

interface DocumentFacts {
  readonly kind: ChecksResult['kind']
  readonly runId: string
  readonly deployRunId: string | null
  readonly startedAt: string
  readonly head?: { readonly commit: string; readonly tree: string } | null
  /** Error class of the document when a check fails, or a function that chooses it by the check. */
  readonly errorClass: ErrorClass | ((failed: CheckResult) => ErrorClass)
  readonly artifacts: Record<string, string>
}

/** The document of a list of checks: FAIL if and only if one failed, or none could be made. */
export function checksDocument(
  checks: CheckResult[],
  { kind, runId, deployRunId, startedAt, head, errorClass, artifacts }: DocumentFacts,
): ChecksResult {
  const nothing: CheckResult[] = checks.some(({ status }) => status !== 'SKIP')
    ? []
    : [
        {
          name: 'checks',
          status: 'FAIL',
          detail: 'Nothing could be checked. Each check says why.',
          remedy: 'finish_host',
          duration_ms: 0,
        },
      ]
  const failed = checks.find(({ status }) => status === 'FAIL') ?? nothing[0]
  const classOf = typeof errorClass === 'string' ? () => errorClass : errorClass
  const failure = failed ? classOf(failed) : null
  return {
    ...resultFieldsOf(
      { runId, startedAt, head, artifacts },
      failure && { errorClass: failure, step: failed?.name },
    ),
    kind,
    deploy_run_id: deployRunId,
    checks: [...checks, ...nothing],
  }
}

/** Name and detail of each failed check, for a message or as evidence. */
export const failures = (checks: readonly CheckResult[]): string[] =>
  checks.filter(({ status }) => status === 'FAIL').map(({ name, detail }) => `${name}: ${detail}`)
