// deploy_pipeline: the steps of one attempt, in the order in which they run.
import { tmpdir } from 'node:os'
import type { EventBody } from '#shared/events'
import type { DeployResult } from '#shared/result'
import type { DeployStep } from '#shared/steps'
import { runPipeline, type Step } from '#ops/core/pipeline/pipeline'
import { noFacts, type DeployFacts, type DeployHost } from './state/facts.ts'
import { attemptFolder, deployResultFile } from './state/folders.ts'
import { assertProductionPullOnly } from './steps/assert-production-pull-only.ts'
import { gitSync } from './steps/git-sync.ts'
import { hostdInstall } from './steps/hostd-install.ts'
import { consoleBuild } from './steps/console-build.ts'
import { dockerCompose } from './steps/docker-compose.ts'
import { verifyProduction } from './steps/verify-production.ts'
import { consoleRouteGate } from './steps/console-route-gate.ts'
import { dodProduction } from './steps/dod-production.ts'
import { updateProjectState } from './steps/update-project-state.ts'

/** Up to `dockerCompose` nothing that serves is touched; the steps after it prove what it brought up. */
export const stepsOfDeploy: readonly ((host: DeployHost) => Step<DeployFacts, DeployStep>)[] = [
  assertProductionPullOnly,
  gitSync,
  hostdInstall,
  consoleBuild,
  dockerCompose,
  verifyProduction,
  consoleRouteGate,
  dodProduction,
  updateProjectState,
]

interface Attempt {
  readonly attempt: number
  readonly emit: (event: EventBody) => void
  readonly signal: AbortSignal
}

/** Runs one attempt, its proof in `attempts/<n>/`. @returns its result; never throws for a failing step */
export const deployOnce = (
  host: DeployHost,
  { attempt, emit, signal }: Attempt,
): Promise<DeployResult> =>
  runPipeline<DeployFacts, DeployResult>({
    action: 'deploy_pipeline',
    runId: host.runId,
    attempt,
    steps: stepsOfDeploy.map((step) => step(host)),
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
