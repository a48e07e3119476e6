import { hostdPaths } from '#shared/hostd-paths'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { statusReply } from '#shared/api'
import { projectConfig } from '#shared/config'
import type { ConnectorsSummary } from '#shared/connectors'
import type { KnownConnectors } from '#ops/core/host-state/connector-results'
import { serving } from '#ops/core/host-state/service-record'
import { readMaintenance } from '#ops/core/host-state/maintenance'
import { projectConfigName } from '#ops/core/config/settings-files'
import type { Deps } from '../http/deps.ts'
import type { ConnectorResults } from '../runs/connector-results.ts'
import type { Documents } from '../runs/documents.ts'
import type { LastResults } from '../runs/last-results.ts'
import { mount } from '../http/mount.ts'
import { readProjectState } from './project-state.ts'

const recentDeploys = 20

/** Everything the Overview shows, in one call. */
export function statusRoutes(
  app: FastifyInstance,
  deps: Deps & { docs: Documents; results: LastResults; connectors: ConnectorResults },
): void {
  const { paths, settings, docs, results, connectors } = deps
  mount(app, {
    method: 'GET',
    url: hostdPaths.status,
    summary: 'Everything the Overview shows, in one call',
    replies: { 200: statusReply },
    handle: async () => ({
      ok: true as const,
      host: {
        name: settings.name,
        version: deps.version,
        time: new Date().toISOString(),
        timers: settings.timers,
        engine: docs.read(join(paths.root, projectConfigName), projectConfig)?.engine ?? null,
        serving: docs.read(join(paths.state, 'serving.json'), serving)?.sha ?? null,
      },
      state: readProjectState(paths.projectState).state,
      maintenance: readMaintenance(paths),
      last_ship: await results.ship(),
      last_deploy: results.deploy(),
      last_dod: results.dod(),
      last_doctor: results.checks('doctor'),
      last_guard: results.checks('guard'),
      last_port_audit: results.checks('port_audit'),
      last_selftest: results.checks('selftest'),
      connectors: summary(connectors.known()),
      bundles: await results.bundles(),
      unreadable: results.unreadable(),
      active_runs: deps.runs.active(),
      // A rollback is a deploy of an earlier commit.
      recent_deploys: (['deploy_and_verify', 'rollback'] as const)
        .flatMap((action) => deps.runs.list({ limit: recentDeploys, action }))
        .toSorted((a, b) => (a.run_id < b.run_id ? 1 : -1))
        .slice(0, recentDeploys),
    }),
  })
}

/** How the connectors are, in a word each. */
function summary({ reports, last }: KnownConnectors): ConnectorsSummary | null {
  if (last === null) return null
  return {
    run_id: last.run_id,
    // The connector that was checked longest ago: nothing here is older.
    checked_at: reports.map(({ checked_at }) => checked_at).toSorted()[0] ?? last.finished_at,
    connectors: reports.map(({ name, state, expires_at = null }) => ({ name, state, expires_at })),
  }
}
