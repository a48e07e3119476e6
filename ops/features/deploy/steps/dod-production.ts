// Step 8: the Definition of Done, the verdict of hostd's own doctor.
import type { DeployStep } from '#shared/steps'
import { join } from 'node:path'
import { writeDocument } from '#ops/base/redact/write-document'
import type { Step } from '#ops/core/pipeline/pipeline'
import { requireFact, type DeployFacts, type DeployHost } from '#ops/features/deploy/state/facts'
import { runDod } from '#ops/features/deploy/verify/dod'

export const dodProduction = (host: DeployHost): Step<DeployFacts, DeployStep> => ({
  name: 'dod_production',
  timeLimitSeconds: 300,
  run: async (facts, { dir, log, signal }) => {
    const { document, problem, doctor } = await runDod({
      ...host,
      deployRunId: host.runId,
      head: { commit: requireFact(facts, 'git_head'), tree: requireFact(facts, 'git_tree') },
      signal,
      log,
    })
    writeDocument(join(dir, 'dod_result.json'), document)
    if (problem) throw problem
    return {
      facts: { dod: document, doctor },
      detail: `doctor ${document.doctor_run_id ?? ''} PASS${document.joined ? ', joined' : ''}`,
    }
  },
})
