import { hostdPaths } from '#shared/hostd-paths'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import {
  allReady,
  connectorsReply,
  connectorsResult,
  type ConnectorsResult,
} from '#shared/connectors'
import type { Deps } from '../http/deps.ts'
import type { Documents } from '../runs/documents.ts'
import { mount } from '../http/mount.ts'
import type { Verify } from '../runs/verified.ts'

/** What the last run that probed the connectors found. hostd itself probes nothing and may read no secret of them. */
export function connectorRoutes(
  app: FastifyInstance,
  { paths, docs, verify }: Pick<Deps, 'paths'> & { docs: Documents; verify: Verify },
): void {
  const newest = (
    kind: ConnectorsResult['kind'],
    file: string,
    seen: boolean,
  ): ConnectorsResult | null =>
    docs.newest(join(paths.artifacts, kind), (folder, id) => {
      const result = docs.read(join(folder, file), connectorsResult)
      return result?.run_id === id && result.kind === kind && (!seen || result.connectors !== null)
        ? result
        : null
    })
  mount(app, {
    method: 'GET',
    url: hostdPaths.connectors,
    summary: 'What the last run that read the connectors found',
    replies: { 200: connectorsReply },
    handle: async () => {
      const found = [
        newest('connectors', 'connectors.json', true),
        newest('phase0', 'phase0_result.json', true),
      ].filter((result) => result !== null)
      const last = found.toSorted((a, b) => (a.finished_at < b.finished_at ? 1 : -1))[0] ?? null
      const phase0 = newest('phase0', 'phase0_result.json', false)
      return {
        ok: last?.connectors ? allReady(last.connectors) : false,
        seen:
          last === null
            ? null
            : {
                run_id: last.run_id,
                action:
                  last.kind === 'phase0' ? ('phase0' as const) : ('connectors_status' as const),
                finished_at: last.finished_at,
              },
        connectors: last?.connectors ?? null,
        last_phase0:
          phase0 === null
            ? null
            : {
                run_id: phase0.run_id,
                overall: phase0.overall,
                error_class: phase0.error_class,
                finished_at: phase0.finished_at,
                artifact_dir: `phase0/${phase0.run_id}`,
                verification: await verify('phase0', phase0.run_id),
              },
      }
    },
  })
}
