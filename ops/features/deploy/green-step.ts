// green_check as the last step of a deploy: it runs after the attempt's own steps, in the process of the deploy.
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import type { DeployResult, StepResult } from '#shared/result'
import type { DeployStep } from '#shared/steps'
import { writeDocument } from '#ops/base/redact/write-document'
import { failures } from '#ops/core/checks/check'
import { asFailed } from '#ops/core/pipeline/documents'
import type { DeployHost } from './state/facts.ts'
import { attemptFolder, deployFolder } from './state/folders.ts'
import { greenCheck } from './verify/green-check.ts'

export const greenStep = 'green_check' satisfies DeployStep
const now = (): string => new Date().toISOString()

interface StepIO {
  readonly emit: (event: EventBody) => void
  readonly signal: AbortSignal
}

/** Runs green_check on an attempt that passed. @returns the attempt's result with this step, FAIL when it failed */
export async function withGreenCheck(
  host: DeployHost,
  result: DeployResult,
  io: StepIO,
): Promise<DeployResult> {
  const started_at = now()
  const clock = performance.now()
  io.emit({ type: 'step_started', time: started_at, step: greenStep })
  const { problem, detail } = await check(host, result, io)
  const status = problem ? 'failed' : 'passed'
  const duration_ms = Math.round(performance.now() - clock)
  io.emit({
    type: 'step_finished',
    time: now(),
    step: greenStep,
    status,
    duration_ms,
    detail,
    error_class: problem?.errorClass ?? null,
  })
  const step: StepResult = { name: greenStep, status, started_at, duration_ms, log: null, detail }
  const whole: DeployResult = {
    ...result,
    steps: [...result.steps, step],
    artifacts: { ...result.artifacts, green_check: 'green_check.json' },
  }
  return problem ? asFailed(whole, { errorClass: problem.errorClass, step: greenStep }) : whole
}

async function check(
  host: DeployHost,
  { run_id, attempt }: DeployResult,
  { emit, signal }: StepIO,
): Promise<{ problem: Problem | null; detail: string }> {
  const { paths, runId } = host
  const document = await greenCheck({
    host,
    runId,
    deployRunId: runId,
    proofOf: () => attemptFolder(paths, run_id, attempt),
    signal,
  })
  for (const { name, status, detail } of document.checks) {
    const text = `${status} ${name}: ${detail}`
    emit({ type: 'log', time: now(), step: greenStep, stream: 'hq', text })
  }
  writeDocument(join(deployFolder(paths, runId), 'green_check.json'), document)
  if (document.overall === 'PASS')
    return { problem: null, detail: `${document.checks.length} checks passed` }
  const detail = failures(document.checks).join(' · ') || 'Nothing was checked.'
  return { problem: new Problem('green_check_failed', detail), detail }
}
