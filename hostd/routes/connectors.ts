import type { FastifyInstance } from 'fastify'
import {
  allReady,
  connectorsReply,
  type ConnectorDetail,
  type ConnectorsReply,
  type ConnectorsResult,
} from '#shared/connectors'
import { connectorNames } from '#shared/connectors/list'
import { usedConnectors } from '#shared/connectors/used'
import { hostdPaths } from '#shared/hostd-paths'
import { candidates, candidatesFile } from '#ops/core/host-state/connector-candidates'
import type { KnownConnectors } from '#ops/core/host-state/connector-results'
import type { Deps } from '../http/deps.ts'
import { mount } from '../http/mount.ts'
import type { ConnectorResults } from '../runs/connector-results.ts'
import type { Documents } from '../runs/documents.ts'
import type { Verify } from '../runs/verified.ts'

interface ConnectorDeps extends Pick<Deps, 'paths'> {
  readonly docs: Documents
  readonly results: ConnectorResults
  readonly verify: Verify
}

/** What the last runs that checked the connectors found. hostd itself checks nothing and may read no secret of them. */
export function connectorRoutes(app: FastifyInstance, deps: ConnectorDeps): void {
  const { results, verify } = deps
  mount(app, {
    method: 'GET',
    url: hostdPaths.connectors,
    summary: 'What the last runs that checked the connectors found',
    replies: { 200: connectorsReply },
    handle: async (): Promise<ConnectorsReply> => {
      const known = results.known()
      const phase0 = results.lastPhase0()
      return {
        ok: allReady(usedConnectors(results.settings()), known.reports),
        seen: known.last === null ? null : seen(known.last),
        connectors: known.reports.length === 0 ? null : [...known.reports],
        details: details(deps, known),
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

function seen({ kind, run_id, finished_at }: ConnectorsResult): ConnectorsReply['seen'] {
  const action = kind === 'connectors' ? 'connectors_status' : kind
  return { run_id, action, finished_at }
}

/** Of every connector, also of those that the host does not use. */
function details(
  { paths, results, docs }: ConnectorDeps,
  known: KnownConnectors,
): ConnectorDetail[] {
  const now = results.settings()
  const waiting = docs.read(candidatesFile(paths), candidates)?.candidates ?? []
  return connectorNames.map((name) => {
    const newest = waiting
      .filter((each) => each.name === name)
      .toSorted((a, b) => (a.stored_at < b.stored_at ? 1 : -1))[0]
    return {
      name,
      mode: now[name].mode,
      settings: { ...now[name] },
      candidate: newest === undefined ? null : { kind: newest.kind, stored_at: newest.stored_at },
      history: known.history(name),
    }
  })
}
