// The Definition of Done: hostd's own doctor says PASS on behalf of this deploy.
import { Problem, toProblem, type ErrorClass } from '#shared/errors'
import { checksResult, type CheckResult, type DodResult } from '#shared/result'
import { hostPathsEnv, type HostPaths } from '#ops/base/paths/paths'
import { failures } from '#ops/core/checks/check'
import { resultFieldsOf } from '#ops/core/pipeline/documents'
import { readServing } from '#ops/core/host-state/service-record'
import { hostClient, localHost } from '#ops/host/hostd-client/index'

interface DodRequest {
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

interface Dod {
  /** The document, FAIL as well as PASS. */
  readonly document: DodResult
  /** Why it failed. */
  readonly problem: Problem | null
  readonly doctor: Doctor | null
}

type Doctor = Pick<CheckedDoctor, 'run_id' | 'overall' | 'finished_at'>
type CheckedDoctor = ReturnType<typeof checksResult.parse>

type Outcome = Awaited<ReturnType<ReturnType<typeof hostClient>['startOrJoin']>>

/**
 * Runs doctor through hostd. A doctor that is running already is joined; when that one failed to say anything about
 * what runs now, because it began before the services or was cancelled, one more is started.
 */
export async function runDod(request: DodRequest): Promise<Dod> {
  const startedAt = new Date().toISOString()
  const about = { doctorRunId: null as string | null, joined: false }
  const finish = (checks: CheckResult[], problem: Problem | null): DodResult =>
    documentOf(request, { ...about, startedAt, checks, problem })
  try {
    const upSince = readServing(request.paths)?.since ?? null
    const outcome = await runDoctor(request, upSince, (id, joined) => {
      about.doctorRunId = id
      about.joined = joined
    })
    about.doctorRunId = outcome.run.run_id
    about.joined = outcome.joined
    const { checks, problem, doctor } = judge(outcome, upSince, request.log)
    return { document: finish(checks, problem), problem, doctor }
  } catch (error) {
    request.signal.throwIfAborted()
    const cause = toProblem(error)
    const problem = new Problem(
      cause.errorClass === 'lane_busy' ? 'dod_failed_joinable_409' : 'dod_failed',
      `Doctor could not be run through hostd: ${cause.message}`,
      { cause, evidence: cause.evidence },
    )
    return { document: finish([], problem), problem, doctor: null }
  }
}

/** A doctor that was joined may have checked the version before this one. */
function beganBefore(result: unknown, upSince: string | null): boolean {
  const parsed = checksResult.safeParse(result)
  return upSince !== null && parsed.success && parsed.data.started_at < upSince
}

async function runDoctor(
  { paths, hostdUrl, deployRunId, signal, log }: DodRequest,
  upSince: string | null,
  onRun: (id: string, joined: boolean) => void,
): Promise<Outcome> {
  const client = hostClient(localHost({ ...hostPathsEnv(paths), OPENCLAW_HOSTD_URL: hostdUrl }))
  const start = (): Promise<Outcome> =>
    client.startOrJoin(
      'doctor',
      {},
      {
        dodRun: deployRunId,
        signal,
        onRun: (id, joined) => {
          onRun(id, joined)
          log(joined ? `joined doctor ${id}, which was running already` : `doctor ${id} started`)
        },
      },
    )
  const outcome = await start()
  const why = whyUnusable(outcome, upSince)
  if (why === null) return outcome
  log(`doctor ${outcome.run.run_id} ${why}: one more is started`)
  return await start()
}

function whyUnusable({ run, joined }: Outcome, upSince: string | null): string | null {
  if (beganBefore(run.result, upSince)) return 'began before the running version was up'
  return joined && run.status === 'cancelled' ? 'was started and cancelled by someone else' : null
}

function judge(
  { run, joined }: Outcome,
  upSince: string | null,
  log: (text: string) => void,
): { checks: CheckResult[]; problem: Problem | null; doctor: Doctor | null } {
  // A joined run that did not pass is somebody else's failure until one of our own says the same.
  const failed: ErrorClass = joined ? 'dod_failed_joinable_409' : 'dod_failed'
  const parsed = checksResult.safeParse(run.result)
  if (!parsed.success || parsed.data.kind !== 'doctor') {
    const why = run.error_class === null ? '' : ` (${run.error_class})`
    const text = `Doctor ${run.run_id} ended ${run.status}${why} without a list of checks.`
    return { checks: [], problem: new Problem(failed, text), doctor: null }
  }
  const { checks, run_id, overall, finished_at } = parsed.data
  const doctor = { run_id, overall, finished_at }
  if (beganBefore(run.result, upSince)) {
    const text = `Doctor ${run.run_id} began before the running version was up, so it did not check that version.`
    return { checks, problem: new Problem(failed, text), doctor }
  }
  for (const { name, status, detail } of checks) log(`${status} ${name}: ${detail}`)
  if (overall === 'PASS' && run.status === 'passed') return { checks, problem: null, doctor }
  const evidence = failures(checks)
  const text = `Doctor ${run.run_id} says FAIL: ${evidence.join(' · ') || run.status}`
  return { checks, problem: new Problem(failed, text, { evidence }), doctor }
}

interface Ended {
  readonly startedAt: string
  readonly doctorRunId: string | null
  readonly joined: boolean
  readonly checks: CheckResult[]
  readonly problem: Problem | null
}

const documentOf = (
  { runId, deployRunId, head }: DodRequest,
  { startedAt, doctorRunId, joined, checks, problem }: Ended,
): DodResult => ({
  ...resultFieldsOf(
    { runId, startedAt, head, artifacts: { dod_result: 'dod_result.json' } },
    problem && { errorClass: problem.errorClass, step: 'dod_production' },
  ),
  deploy_run_id: deployRunId,
  doctor_run_id: doctorRunId,
  joined,
  checks,
})
