import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EventBody } from '#shared/events'
import type { DeployResult } from '#shared/result'
import { doctorContext } from '#ops/core/checks/context'
import { wholeEnvironment } from '#ops/base/env'
import { hostPaths, runFolder, type HostPaths } from '#ops/base/paths/paths'
import { handedHostFiles, readHostFiles, settingsOf } from '#ops/core/config/host-files'
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

/**
 * The host as this deploy sees it. host.json and the trust file are read here, once: an attempt takes what its deploy
 * read, so that an edit while a deploy runs counts for the next one. The doctor of the Definition of Done is a run of
 * hostd and reads the files itself.
 * @param attempt this process is an attempt of a deploy
 * @throws {Problem} `config_invalid` when host.json is damaged
 */
export function deployHost(
  runId: string,
  { rollbackTo = null, attempt = false }: { rollbackTo?: string | null; attempt?: boolean } = {},
): DeployHost {
  const files = (attempt ? handedHostFiles() : null) ?? readHostFiles(hostPaths())
  const { paths, settings, hostdUrl, hostdPort, consoleUrl } = doctorContext(
    runId,
    wholeEnvironment(),
    settingsOf(files, hostPaths()),
  )
  return { paths, settings, files, runId, hostdUrl, hostdPort, consoleUrl, rollbackTo }
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
