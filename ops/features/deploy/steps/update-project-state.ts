// Step 9: the project's state names this deploy, and its build is kept for a rollback.
import { join } from 'node:path'
import { deployedFile, type Deployed } from '#shared/deployed'
import type { Pin } from '#shared/result'
import type { DeployStep } from '#shared/steps'
import { refusePersonsMaintenance } from '#ops/core/host-state/maintenance'
import { writeDocument } from '#ops/base/redact/write-document'
import type { Step } from '#ops/core/pipeline/pipeline'
import { markGreenBuild } from '#ops/host/engines/common/green-builds'
import { engineOf } from '#ops/host/engines/registry'
import { requireFact, type DeployFacts, type DeployHost } from '#ops/features/deploy/state/facts'
import { nextActionOf, writeState } from '#ops/features/deploy/state/project-state'
import { greenBefore } from '#ops/features/deploy/state/green-before'

export const updateProjectState = (host: DeployHost): Step<DeployFacts, DeployStep> => ({
  name: 'update_project_state',
  timeLimitSeconds: 60,
  run: async (facts, { dir, log, signal }) => {
    const { paths, runId } = host
    const sha = requireFact(facts, 'target_sha')
    const { action, why } = await nextActionOf(paths.root, sha, signal)
    if (why !== null) log(`next action: ${why}`)
    const guard = requireFact(facts, 'guard')
    const pin = pinOf(host, facts)
    refusePersonsMaintenance(paths, {
      what: 'The deploy stopped before it recorded the new state',
      untouched: 'The new version serves; the recorded state is the one from before.',
    })
    writeDocument(join(dir, deployedFile), deployedOf(host, facts))
    await writeState(
      host,
      {
        schema_version: 1,
        last_deploy_timestamp: new Date().toISOString(),
        last_deploy_run_id: runId,
        last_verified_head: sha,
        target_sha: sha,
        last_doctor_result: requireFact(facts, 'doctor'),
        last_guard_result: {
          run_id: guard.run_id,
          overall: guard.overall,
          finished_at: guard.finished_at,
        },
        next_action: action,
        ...(pin === null ? {} : { pin }),
        rollback_to: (await greenBefore(paths, sha, signal))?.sha ?? null,
      },
      { dir, signal },
    )
    keepForRollback(host, facts)
    const pinned = pin === null ? '' : ', pinned by this rollback'
    const next = action === null ? ', without a next action' : ''
    return { detail: `hostd shows the state of this deploy${pinned}${next}` }
  },
})

/** A rollback pins the host: no deploy goes forward again while origin is what was rolled back from. */
function pinOf({ rollbackTo, runId }: DeployHost, facts: Readonly<DeployFacts>): Pin | null {
  const sha = requireFact(facts, 'target_sha')
  const from_sha = requireFact(facts, 'origin_sha')
  if (rollbackTo === null || from_sha === sha) return null
  return { sha, from_sha, run_id: runId, since: new Date().toISOString() }
}

function keepForRollback({ paths }: DeployHost, facts: Readonly<DeployFacts>): void {
  const { project, engine: name } = requireFact(facts, 'config')
  const sha = requireFact(facts, 'target_sha')
  const engine = engineOf(name)
  engine.markGreen(paths, project, sha)
  markGreenBuild(paths, {
    project,
    ...requireFact(facts, 'build'),
    images: engine.images(paths, project, sha),
  })
}

/** What the statements of this deploy are made of when its proof is sealed. */
function deployedOf(
  { paths, runId, rollbackTo }: DeployHost,
  facts: Readonly<DeployFacts>,
): Deployed {
  const { project, branch, engine } = requireFact(facts, 'config')
  return {
    schema_version: 1,
    run_id: runId,
    project,
    branch,
    engine,
    commit: requireFact(facts, 'git_head'),
    tree: requireFact(facts, 'git_tree'),
    is_rollback: rollbackTo !== null,
    build_sha256: requireFact(facts, 'build').digest,
    services: engineOf(engine)
      .digests(paths)
      .map(({ name, sha256 }) => ({ name, sha256 })),
    ...requireFact(facts, 'trusted'),
  }
}
