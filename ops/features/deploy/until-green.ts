// deploy_until_green: maintenance on, bounded attempts, green_check, maintenance off.
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem, toProblem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import type { DeployResult, Triage } from '#shared/result'
import { writeDocument } from '#ops/base/redact/write-document'
import {
  endDeployMaintenance,
  refusePersonsMaintenance,
  turnMaintenanceOn,
} from '#ops/core/host-state/maintenance'
import { setTimers } from '#ops/core/host-state/timers'
import { attemptInstall, failedResult, runAttempt } from './attempt.ts'
import { gatherBundle, writeResult } from './bundle.ts'
import { greenStep, withGreenCheck } from './green-step.ts'
import { applyPlan, type Plan } from './plan.ts'
import type { DeployHost } from './state/facts.ts'
import { attemptFolder, deployFolder } from './state/folders.ts'
import { restoreState } from './state/project-state.ts'
import { triageOf } from './triage.ts'

interface UntilGreen {
  /** Most attempts. */
  readonly attempts: number
  readonly plan: Plan
  readonly emit: (event: EventBody) => void
  readonly signal: AbortSignal
}

/**
 * Maintenance on, bounded attempts that each fetch again, a triage for every failure, `green_check`, maintenance off.
 * Only classes that the error table calls retryable are tried again, and never twice with the same fingerprint; but an
 * attempt that failed after it made another HQ current is followed by one of that HQ. After a failure maintenance stays
 * on. A deploy of a pinned host, a rollback that is not possible, and both while a person holds maintenance, are
 * refused before any of this: nothing is changed then.
 * @returns the result of the deploy, which is also the last event
 */
export async function deployUntilGreen(
  given: DeployHost,
  options: UntilGreen,
): Promise<DeployResult> {
  const { plan, emit, signal } = options
  const startedAt = now()
  const log = (text: string): void =>
    emit({ type: 'log', time: now(), step: null, stream: 'hq', text })
  const finished = (result: DeployResult): DeployResult => {
    emit({ type: 'run_finished', time: now(), result })
    return result
  }
  let host: DeployHost
  try {
    refusePersonsMaintenance(given.paths, {
      what: `${plan.kind === 'rollback' ? 'The rollback' : 'The deploy'} was not started`,
      untouched: 'Nothing was changed.',
    })
    host = await applyPlan(given, plan, { log, signal })
  } catch (error) {
    const problem = toProblem(error)
    for (const text of [`${problem.errorClass}: ${problem.message}`, ...problem.evidence]) log(text)
    return finished(failedResult({ runId: given.runId, attempt: 1, startedAt }, problem))
  }
  const deploy = new Deploy(host, options, log)
  const { result, triage } = await deploy.run(startedAt)
  const whole = { ...result, started_at: startedAt, finished_at: now() }
  return finished(await deploy.close(whole, triage))
}

const now = (): string => new Date().toISOString()

interface Outcome {
  readonly result: DeployResult
  readonly triage: Triage | null
}

/** One deploy, from maintenance on to its result. */
class Deploy {
  private readonly host: DeployHost
  private readonly options: UntilGreen
  private readonly log: (text: string) => void
  /** Fingerprints of the failures so far. */
  private readonly failures = new Set<string>()

  constructor(host: DeployHost, options: UntilGreen, log: (text: string) => void) {
    this.host = host
    this.options = options
    this.log = log
  }

  /** Never throws: a failure is a result. */
  async run(startedAt: string): Promise<Outcome> {
    const { paths, settings, runId } = this.host
    try {
      await turnMaintenanceOn(paths, { deployRunId: runId, reason: 'deploy' })
      this.log('maintenance mode is on')
      this.log(await setTimers(settings, 'stop', this.options.signal))
      return await this.tryUntilGreen()
    } catch (error) {
      const problem = toProblem(error)
      this.log(`${problem.errorClass}: ${problem.message}`)
      const result = failedResult({ runId, attempt: 1, startedAt }, problem)
      return { result, triage: this.triage(result, [problem.message, ...problem.evidence]) }
    }
  }

  private async tryUntilGreen(): Promise<Outcome> {
    for (let attempt = 1; ; attempt += 1) {
      const before = attemptInstall(this.host.paths)
      const result = await this.tryOnce(attempt)
      if (result.overall === 'PASS') return { result, triage: null }
      const triage = this.triage(result)
      const step = triage.failing_step === null ? '' : ` in ${triage.failing_step}`
      this.log(`attempt ${attempt} failed: ${triage.error_class}${step}`)
      if (triage.error_class === 'state_invalid') this.restoreState()
      // The HQ of before failed. The one that this attempt brought may hold the fix: it gets one more attempt.
      const newHq = attemptInstall(this.host.paths) !== before
      if (newHq)
        this.log('this attempt installed another version of HQ, which makes the next attempt')
      const why = this.whyStop(triage, { attempt, newHq })
      if (why !== null) {
        this.log(`stopped: ${why}`)
        const stopped = `Stopped after attempt ${attempt}: ${why}.`
        return { result, triage: { ...triage, evidence: [...triage.evidence, stopped] } }
      }
      this.failures.add(triage.fingerprint)
      await this.pause(attempt)
    }
  }

  private async tryOnce(attempt: number): Promise<DeployResult> {
    const { emit, signal } = this.options
    // The window shows every step from the first event on: green_check comes after the attempt's own.
    const forward = (event: EventBody): void =>
      emit(event.type === 'run_started' ? { ...event, steps: [...event.steps, greenStep] } : event)
    const tried = await runAttempt(this.host, attempt, { emit: forward, signal })
    return tried.overall === 'PASS'
      ? await withGreenCheck(this.host, tried, { emit, signal })
      : tried
  }

  private triage(result: DeployResult, extra: readonly string[] = []): Triage {
    const { paths } = this.host
    return triageOf(result, {
      dir: attemptFolder(paths, result.run_id, result.attempt),
      base: deployFolder(paths, result.run_id),
      extra,
    })
  }

  /** Why no attempt follows; null when one does. */
  private whyStop(
    { fingerprint, retryable, error_class }: Triage,
    { attempt, newHq }: { readonly attempt: number; readonly newHq: boolean },
  ): string | null {
    const { attempts, signal } = this.options
    if (this.failures.has(fingerprint) && !newHq) return 'the same failure again'
    if (!retryable && !newHq) return `${error_class} is not retried`
    if (attempt >= attempts) return `attempt ${attempt} of ${attempts} was the last`
    return signal.aborted ? 'cancelled' : null
  }

  private async pause(attempt: number): Promise<void> {
    // Doubles each time; the random half keeps two hosts from fetching at the same moments.
    const seconds =
      this.host.settings.deploy_backoff_seconds * 2 ** (attempt - 1) * (0.5 + Math.random() / 2)
    this.log(`next attempt in ${seconds.toFixed(1)} s`)
    await delay(seconds * 1000, undefined, { signal: this.options.signal }).catch(() => {
      throw new Problem('cancelled', 'The deploy was cancelled between two attempts.')
    })
  }

  /** The remedy of `state_invalid`: the state of the last green deploy, from its proof. */
  private restoreState(): void {
    try {
      const from = restoreState(this.host.paths)
      this.log(
        from === null
          ? 'no green deploy has left a state that could be put back'
          : `the state of ${from} was put back from its proof`,
      )
    } catch (error) {
      this.log(`the state could not be put back: ${toProblem(error).message}`)
    }
  }

  /** Gathers the proof, ends maintenance after a success, and writes the result last. */
  async close(result: DeployResult, triage: Triage | null): Promise<DeployResult> {
    const { paths, settings, runId } = this.host
    try {
      gatherBundle(paths, result, triage)
      if (result.overall === 'PASS') {
        // Doctor's timer does not start while the maintenance file is there.
        if ((await endDeployMaintenance(paths)) === null) {
          this.log('maintenance mode is off')
          this.log(await setTimers(settings, 'start'))
        } else this.log('maintenance mode stays on: a person put it on during this deploy')
      } else this.log('maintenance mode stays on until a deploy succeeds or it is ended in HQ')
      writeResult(paths, result)
      return result
    } catch (error) {
      const problem = toProblem(error)
      this.log(`${problem.errorClass}: ${problem.message}`)
      const errorClass = result.overall === 'PASS' ? null : result.error_class
      const failed = failedResult(
        { runId, attempt: result.attempt, startedAt: result.started_at },
        errorClass === null ? problem : new Problem(errorClass, problem.message),
        result,
      )
      await this.afterFailedClose(failed, problem)
      return failed
    }
  }

  /** A deploy whose end cannot be recorded has failed: maintenance is on again, and as much as possible is written. */
  private async afterFailedClose(failed: DeployResult, problem: Problem): Promise<void> {
    const { paths, runId } = this.host
    const tries: (() => unknown)[] = [
      async () => await turnMaintenanceOn(paths, { deployRunId: runId, reason: 'deploy' }),
      () =>
        writeDocument(
          join(deployFolder(paths, runId), 'triage.json'),
          this.triage(failed, [problem.message]),
        ),
      () => writeResult(paths, failed),
    ]
    for (const attempt of tries) {
      try {
        await attempt()
      } catch (error) {
        this.log(toProblem(error).message)
      }
    }
  }
}
