// Step 6: everything that must be true of a running deploy is checked.
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { newRunId } from '#shared/ids'
import type { DeployStep } from '#shared/steps'
import { writeDocument } from '#ops/base/redact/write-document'
import { checksDocument, failures } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'
import type { Step } from '#ops/core/pipeline/pipeline'
import { requireFact, type DeployFacts, type DeployHost } from '#ops/features/deploy/state/facts'
import { verify, verifyClass } from '#ops/features/deploy/verify/verify'

export const verifyProduction = (host: DeployHost): Step<DeployFacts, DeployStep> => ({
  name: 'verify_production',
  timeLimitSeconds: 300,
  run: async (facts, { dir, log, signal }) => {
    const startedAt = new Date().toISOString()
    const context: DoctorContext = {
      ...host,
      config: requireFact(facts, 'config'),
      configProblem: null,
      deployRunId: host.runId,
    }
    if (host.settings.timers === 'none') log('this host has no timers: guard runs once here')
    const { sha, digest } = requireFact(facts, 'build')
    const { checks, guard } = await verify(
      context,
      { sha, digest },
      { signal, guardRunId: newRunId(), before: facts.configBefore },
    )
    const document = checksDocument(checks, {
      kind: 'verify_production',
      runId: host.runId,
      deployRunId: host.runId,
      startedAt,
      head: { commit: requireFact(facts, 'git_head'), tree: requireFact(facts, 'git_tree') },
      errorClass: verifyClass,
      artifacts: { verify_production: 'verify_production.json' },
    })
    writeDocument(join(dir, 'verify_production.json'), document)
    for (const { name, status, detail } of checks) log(`${status} ${name}: ${detail}`)
    if (document.error_class !== null)
      throw new Problem(
        document.error_class,
        failures(checks).join(' · ') || 'Nothing was checked.',
        { evidence: failures(checks) },
      )
    return {
      facts: { guard },
      detail: `${checks.filter(({ status }) => status !== 'SKIP').length} checks passed`,
    }
  },
})
