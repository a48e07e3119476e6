import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { newRunId } from '#shared/ids'
import { checksDocument, failures } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'
import { writeDocument } from '#ops/base/redact/write-document'
import { engineOf } from '#ops/host/engines/registry'
import { markGreenBuild } from '#ops/host/engines/common/green-builds'
import type { Step } from '#ops/core/pipeline/pipeline'
import { runDod } from './dod.ts'
import { need, type DeployFacts, type DeployHost } from './facts.ts'
import { nextActionOf, writeState } from './project-state.ts'
import { greenBefore } from './rollback.ts'
import { requireRoutes } from './route-gate.ts'
import { verify, verifyClass } from './verify.ts'

/** Files of the proof that these steps leave in the attempt's folder. */
export const proofFiles = [
  'verify_production.json',
  'dod_result.json',
  'project_state.json',
] as const

const headOf = (facts: Readonly<DeployFacts>): { commit: string; tree: string } => ({
  commit: need(facts, 'git_head'),
  tree: need(facts, 'git_tree'),
})

/** The steps that prove what the first ones brought up. */
export const verifySteps = (host: DeployHost): Step<DeployFacts>[] => [
  {
    name: 'verify_production',
    timeLimitSeconds: 300,
    run: async (facts, { dir, log, signal }) => {
      const startedAt = new Date().toISOString()
      const context: DoctorContext = {
        ...host,
        config: need(facts, 'config'),
        configProblem: null,
        deployRunId: host.runId,
      }
      if (host.settings.timers === 'none')
        log('timers are none on this host: guard is run once here')
      const build = need(facts, 'build')
      const { checks, guard } = await verify(
        context,
        { sha: build.sha, digest: build.digest },
        { signal, guardRunId: newRunId() },
      )
      const document = checksDocument(checks, {
        kind: 'verify_production',
        runId: host.runId,
        deployRunId: host.runId,
        startedAt,
        head: headOf(facts),
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
  },
  {
    name: 'console_route_gate',
    timeLimitSeconds: 120,
    run: async (facts, context) => {
      const routes = await requireRoutes(
        host,
        need(facts, 'config').routes.map(({ path }) => path),
        context,
      )
      return { detail: `${routes.length} routes answer through the console` }
    },
  },
  {
    name: 'dod_production',
    timeLimitSeconds: 300,
    run: async (facts, { dir, log, signal }) => {
      const { document, problem, doctor } = await runDod({
        ...host,
        deployRunId: host.runId,
        head: headOf(facts),
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
  },
  {
    name: 'update_project_state',
    timeLimitSeconds: 60,
    run: async (facts, { dir, log, signal }) => {
      const sha = need(facts, 'target_sha')
      const { action, why } = await nextActionOf(host.paths.root, sha, signal)
      if (why !== null) log(`next action: ${why}`)
      const guard = need(facts, 'guard')
      const config = need(facts, 'config')
      const build = need(facts, 'build')
      const origin = need(facts, 'origin_sha')
      const pinned =
        host.rollbackTo === null || origin === sha
          ? {}
          : { pin: { sha, from_sha: origin, run_id: host.runId, since: new Date().toISOString() } }
      await writeState(
        host,
        {
          schema_version: 1,
          last_deploy_timestamp: new Date().toISOString(),
          last_deploy_run_id: host.runId,
          last_verified_head: sha,
          target_sha: sha,
          last_doctor_result: need(facts, 'doctor'),
          last_guard_result: {
            run_id: guard.run_id,
            overall: guard.overall,
            finished_at: guard.finished_at,
          },
          next_action: action,
          ...pinned,
          rollback_to: (await greenBefore(host.paths, sha, signal))?.sha ?? null,
        },
        dir,
        signal,
      )
      const engine = engineOf(config.engine)
      engine.markGreen(host.paths, config.project, sha)
      markGreenBuild(host.paths, {
        project: config.project,
        ...build,
        images: engine.images(host.paths, config.project, sha),
      })
      return {
        detail: `hostd shows the state of this deploy${'pin' in pinned ? ', pinned by this rollback' : ''}${action === null ? ', without a next action' : ''}`,
      }
    },
  },
]
