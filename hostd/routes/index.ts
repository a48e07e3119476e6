/** Every route of hostd, in one list. */
import type { FastifyInstance } from 'fastify'
import type { Deps } from '../http/deps.ts'
import { readConnectorResults } from '../runs/connector-results.ts'
import { documents } from '../runs/documents.ts'
import { lastResults } from '../runs/last-results.ts'
import { bundleChecker, bundleKeys, type Verify } from '../runs/verified.ts'
import { artifactRoutes } from './artifacts.ts'
import { connectorRoutes } from './connectors.ts'
import { connectorSecretRoutes } from './connector-secret.ts'
import { eventRoutes } from './events.ts'
import { execRoutes } from './exec.ts'
import { healthRoutes } from './health.ts'
import { lastRoutes } from './last.ts'
import { maintenanceRoutes } from './maintenance.ts'
import { projectStateRoutes } from './project-state.ts'
import { proofRoutes } from './proof.ts'
import { runRoutes } from './runs.ts'
import { shipRoutes } from './ship.ts'
import { statusRoutes } from './status.ts'
import { trustRoutes } from './trust.ts'

export function mountRoutes(app: FastifyInstance, deps: Deps): void {
  const docs = documents(deps.log)
  const keysOf = bundleKeys(deps.paths, docs, deps.log)
  const check = bundleChecker(deps.paths, keysOf)
  const verify: Verify = async (kind, runId) => (await check(kind, runId)).state
  const results = lastResults(deps.paths, docs, check)
  const connectors = readConnectorResults(deps, docs)
  healthRoutes(app, deps)
  statusRoutes(app, { ...deps, docs, results, connectors })
  execRoutes(app, deps)
  runRoutes(app, deps)
  eventRoutes(app, deps)
  lastRoutes(app, results)
  shipRoutes(app, deps, verify)
  proofRoutes(app, { ...deps, docs, check, keysOf })
  trustRoutes(app, deps)
  connectorRoutes(app, { ...deps, docs, verify, results: connectors })
  connectorSecretRoutes(app, deps)
  artifactRoutes(app, deps)
  projectStateRoutes(app, deps)
  maintenanceRoutes(app, deps)
}
