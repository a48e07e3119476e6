import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventBody } from '#shared/events'
import type { DeployResult } from '#shared/result'
import { doctorContext } from '#ops/core/checks/context'
import { runFolder, type HostPaths } from '#ops/base/paths/paths'
import { runPipeline } from '#ops/core/pipeline/pipeline'
import { noFacts, type DeployFacts, type DeployHost } from './facts.ts'
import { buildSteps } from './steps-build.ts'
import { verifySteps } from './steps-verify.ts'

export const deployResultFile = 'deploy_result.json'

/** `artifacts/deploy/<run_id>/` @throws {RangeError} when it is no run id */
export const deployFolder = (paths: HostPaths, runId: string): string =>
  runFolder(join(paths.artifacts, 'deploy'), runId)
export const attemptFolder = (paths: HostPaths, runId: string, attempt: number): string =>
  join(deployFolder(paths, runId), 'attempts', String(attempt))

/** @throws {Problem} `config_invalid` when host.json is off */
export function deployHost(runId: string, rollbackTo: string | null = null): DeployHost {
  const { paths, settings, hostdUrl, hostdPort, consoleUrl } = doctorContext(runId)
  return { paths, settings, runId, hostdUrl, hostdPort, consoleUrl, rollbackTo }
}

/** One deploy_pipeline (design §7): nine steps, its proof in `attempts/<n>/`. @returns its result, never throws for a failing step */
export function deployOnce(
  host: DeployHost,
  {
    attempt,
    emit,
    signal,
  }: { attempt: number; emit: (event: EventBody) => void; signal: AbortSignal },
): Promise<DeployResult> {
  return runPipeline<DeployFacts, DeployResult>({
    action: 'deploy_pipeline',
    runId: host.runId,
    attempt,
    steps: [...buildSteps(host), ...verifySteps(host)],
    facts: noFacts,
    dir: attemptFolder(host.paths, host.runId, attempt),
    resultFile: deployResultFile,
    storage: [host.paths.state, tmpdir()],
    emit,
    signal,
    document: (base, { git_head, git_tree, target_sha, previous_sha, engine, unanswered_ms }) => ({
      ...base,
      git_head,
      git_tree,
      attempt,
      target_sha,
      previous_sha,
      engine,
      unanswered_ms,
    }),
  })
}
