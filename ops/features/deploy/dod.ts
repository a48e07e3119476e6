import { Problem, toProblem, type ErrorClass } from '#shared/errors'
import { checksResult, type CheckResult, type DodResult } from '#shared/result'
import { failures } from '#ops/core/checks/check'
import { resultFieldsOf } from '#ops/core/pipeline/documents'
import { readServing } from '#ops/core/host-state/service-record'
import { hostClient, localHost } from '#ops/host/hostd-client/index'
import { hostPathsEnv, type HostPaths } from '#ops/base/paths/paths'

interface Question {
  readonly paths: HostPaths
  readonly hostdUrl: string
  /** Run of this verdict. Within a deploy it is the deploy's own. */
  readonly runId: string
  /** The deploy the verdict is about. */
  readonly deployRunId: string
  readonly head: { readonly commit: string | null; readonly tree: string | null }
  readonly signal: AbortSignal
  readonly log: (text: string) => void
}

/** A doctor that was joined may have looked at the version before this one. */
function beganBefore(result: unknown, upSince: string | null): boolean {
  const parsed = checksResult.safeParse(result)
  return upSince !== null && parsed.success && parsed.data.started_at < upSince
}

/**
 * The Definition of Done: hostd's own doctor says PASS on behalf of this deploy (design §7). A doctor that is running
 * already is joined; when that one failed, or began before the services that run now, one more is asked for.
 * @returns the document, FAIL as well as PASS, and why it failed
 */
export async function runDod(question: Question): Promise<{
  document: DodResult
  problem: Problem | null
  doctor: { run_id: string; overall: 'PASS' | 'FAIL'; finished_at: string } | null
}> {
  const { paths, hostdUrl, runId, deployRunId, head, signal, log } = question
  const startedAt = new Date().toISOString()
  let doctorRunId: string | null = null
  let joined = false
  const finish = (checks: CheckResult[], problem: Problem | null): DodResult => ({
    ...resultFieldsOf(
      { runId, startedAt, head, artifacts: { dod_result: 'dod_result.json' } },
      problem && { errorClass: problem.errorClass, step: 'dod_production' },
    ),
    deploy_run_id: deployRunId,
    doctor_run_id: doctorRunId,
    joined,
    checks,
  })
  try {
    const client = hostClient(localHost({ ...hostPathsEnv(paths), OPENCLAW_HOSTD_URL: hostdUrl }))
    const ask = (): ReturnType<typeof client.startOrJoin> =>
      client.startOrJoin(
        'doctor',
        {},
        {
          dodRun: deployRunId,
          signal,
          onRun: (id, isJoined) => {
            doctorRunId = id
            joined = isJoined
            log(
              isJoined ? `joined doctor ${id}, which was running already` : `doctor ${id} started`,
            )
          },
        },
      )
    const upSince = readServing(paths)?.since ?? null
    let outcome = await ask()
    const unusable = beganBefore(outcome.run.result, upSince)
      ? 'began before what serves now was up'
      : outcome.joined && outcome.run.status === 'cancelled'
        ? "was somebody else's, who cancelled it"
        : null
    if (unusable !== null) {
      log(`doctor ${outcome.run.run_id} ${unusable}: one more is asked for`)
      outcome = await ask()
    }
    doctorRunId = outcome.run.run_id
    joined = outcome.joined
    // A joined run that did not pass is somebody else's failure until one of our own says the same.
    const failed: ErrorClass = joined ? 'dod_failed_joinable_409' : 'dod_failed'
    const parsed = checksResult.safeParse(outcome.run.result)
    if (!parsed.success || parsed.data.kind !== 'doctor') {
      const problem = new Problem(
        failed,
        `Doctor ${outcome.run.run_id} ended ${outcome.run.status}${outcome.run.error_class === null ? '' : ` (${outcome.run.error_class})`} without a list of checks.`,
      )
      return { document: finish([], problem), problem, doctor: null }
    }
    const doctor = {
      run_id: parsed.data.run_id,
      overall: parsed.data.overall,
      finished_at: parsed.data.finished_at,
    }
    if (beganBefore(outcome.run.result, upSince)) {
      const problem = new Problem(
        failed,
        `Doctor ${outcome.run.run_id} began before what serves now was up, so it says nothing about it.`,
      )
      return { document: finish(parsed.data.checks, problem), problem, doctor }
    }
    for (const { name, status, detail } of parsed.data.checks) log(`${status} ${name}: ${detail}`)
    if (parsed.data.overall === 'PASS' && outcome.run.status === 'passed')
      return { document: finish(parsed.data.checks, null), problem: null, doctor }
    const problem = new Problem(
      failed,
      `Doctor ${outcome.run.run_id} says FAIL: ${failures(parsed.data.checks).join(' · ') || outcome.run.status}`,
      { evidence: failures(parsed.data.checks) },
    )
    return { document: finish(parsed.data.checks, problem), problem, doctor }
  } catch (error) {
    signal.throwIfAborted()
    const cause = toProblem(error)
    const errorClass: ErrorClass =
      cause.errorClass === 'lane_busy' ? 'dod_failed_joinable_409' : 'dod_failed'
    const problem = new Problem(
      errorClass,
      `Doctor could not be run through hostd: ${cause.message}`,
      { cause, evidence: cause.evidence },
    )
    return { document: finish([], problem), problem, doctor: null }
  }
}
