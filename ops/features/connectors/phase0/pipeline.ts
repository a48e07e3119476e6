// Phase 0: the steps, in the order in which they run.
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ConnectorsResult } from '#shared/connectors'
import type { Problem } from '#shared/errors'
import type { EventBody } from '#shared/events'
import type { Phase0Step } from '#shared/steps'
import { runFolder } from '#ops/base/paths/paths'
import { runPipeline, type Step } from '#ops/core/pipeline/pipeline'
import { checkStep } from './check-step.ts'
import { phase0Document } from './document.ts'
import { noFacts, type Phase0Facts, type Phase0Host } from './facts.ts'
import { harvestStep } from './harvest-step.ts'
import { libraryStep } from './library-step.ts'

const steps: readonly ((host: Phase0Host) => Step<Phase0Facts, Phase0Step>)[] = [
  checkStep,
  libraryStep,
  harvestStep,
]

/** Runs Phase 0, its proof in `artifacts/phase0/<run_id>/`. @returns its result; never throws for a failing step */
export function runPhase0(
  host: Phase0Host,
  { emit, signal }: { readonly emit: (event: EventBody) => void; readonly signal: AbortSignal },
): Promise<ConnectorsResult> {
  let failed: Problem | null = null
  return runPipeline<Phase0Facts, ConnectorsResult>({
    action: 'phase0',
    runId: host.runId,
    steps: steps.map((step) => step(host)),
    facts: noFacts,
    dir: runFolder(join(host.paths.artifacts, 'phase0'), host.runId),
    resultFile: 'phase0_result.json',
    storage: [host.paths.state, tmpdir()],
    emit,
    signal,
    finish: (_facts, problem) => {
      failed = problem
      return Promise.resolve()
    },
    document: (base, facts) => phase0Document(base, facts, failed),
  })
}
