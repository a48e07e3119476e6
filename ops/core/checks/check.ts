import { setTimeout as delay } from 'node:timers/promises'
import { errorRule, toProblem, type ErrorClass } from '#shared/errors'
import type { RemediationId } from '#shared/errors/remediations'
import type { CheckResult, ChecksResult } from '#shared/result'
import { resultFieldsOf } from '#ops/core/pipeline/documents'

export interface Finding {
  readonly status: CheckResult['status']
  readonly detail: string
  readonly remedy?: RemediationId
}

/** One question about the host. It depends on no other check and may not change anything. */
export interface Check {
  readonly name: string
  readonly run: (signal: AbortSignal) => Promise<Finding> | Finding
  /** Milliseconds; default 2 s. */
  readonly limitMs?: number
  /** What no answer in time means; default FAIL. Another where only something outside this host may be slow. */
  readonly late?: 'FAIL' | 'WARN'
  /** Remedy when it throws or takes too long, and its class has none better. */
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

/** Runs all checks at once. A check that throws or takes too long is a FAIL of its own and holds nobody else up. */
export const runChecks = (checks: readonly Check[], signal?: AbortSignal): Promise<CheckResult[]> =>
  Promise.all(checks.map((check) => runCheck(check, signal)))

/**
 * Lets `ms` pass in small steps. Time in which this process itself was busy, or was not given the processor, counts as
 * one step however long it was: nobody is late for an answer that nobody could have taken.
 */
export async function waited(ms: number, signal: AbortSignal): Promise<void> {
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
    const late = waited(limitMs, abort.signal).then(
      (): Finding => ({
        status: lateStatus,
        detail: `It gave no answer within ${limitMs / 1000} s.`,
        remedy,
      }),
      () => fail('It was cancelled.', 'start_again'),
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
  const needed = finding.status === 'WARN' || finding.status === 'FAIL'
  return {
    name,
    status: finding.status,
    detail: finding.detail,
    remedy: needed ? (finding.remedy ?? remedy) : null,
    duration_ms: Math.round(performance.now() - started),
  }
}

interface About {
  readonly kind: ChecksResult['kind']
  readonly runId: string
  readonly deployRunId: string | null
  readonly startedAt: string
  readonly head?: { readonly commit: string; readonly tree: string } | null
  /** Class of the document when a check fails; a check's own class where it differs. */
  readonly errorClass: ErrorClass | ((failed: CheckResult) => ErrorClass)
  readonly artifacts: Record<string, string>
}

/** The document of a list of checks: FAIL if and only if one of them failed. No check at all is a FAIL too. */
export function checksDocument(
  checks: CheckResult[],
  { kind, runId, deployRunId, startedAt, head, errorClass, artifacts }: About,
): ChecksResult {
  const nothing: CheckResult[] = checks.some(({ status }) => status !== 'SKIP')
    ? []
    : [
        {
          name: 'checks',
          status: 'FAIL',
          detail: 'Nothing could be checked; why stands at each check.',
          remedy: 'finish_host',
          duration_ms: 0,
        },
      ]
  const failed = checks.find(({ status }) => status === 'FAIL') ?? nothing[0]
  const failure = failed ? (typeof errorClass === 'string' ? errorClass : errorClass(failed)) : null
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

/** Names and details of what failed, for a message or evidence. */
export const failures = (checks: readonly CheckResult[]): string[] =>
  checks.filter(({ status }) => status === 'FAIL').map(({ name, detail }) => `${name}: ${detail}`)
