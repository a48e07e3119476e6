/** The path of every route of hostd, for those who serve it and those who request it. `:id` is filled by `pathWith`. */
export const hostdPaths = {
  health: '/health',
  status: '/api/status',
  exec: '/api/exec',
  runs: '/api/runs',
  runEvents: '/api/runs/:id/events',
  runCancel: '/api/runs/:id/cancel',
  maintenance: '/api/maintenance',
  trust: '/api/trust',
  connectors: '/api/connectors',
  connectorSecret: '/api/connectors/:name/secret',
  connectorStart: '/api/connectors/:name/start',
  connectorFinalize: '/api/connectors/:name/finalize',
  connectorRevoke: '/api/connectors/:name/revoke',
  projectState: '/api/project/state',
  lastShip: '/api/ship/last',
  lastDeploy: '/api/deploy/last',
  lastDod: '/api/dod/last',
  storeShip: '/api/ship/:run_id',
  proofBundles: '/api/proof/bundles',
  proofChain: '/api/proof/chain',
  proofExport: '/api/proof/export',
  artifacts: '/api/artifacts',
  artifact: '/api/artifacts/*',
} as const

export type HostdPath = (typeof hostdPaths)[keyof typeof hostdPaths]
type WithId = Extract<HostdPath, `${string}/:${string}`>

/** @param path one that holds an id @returns the path of the request for that id */
export const pathWith = (path: WithId, id: string): string =>
  path.replace(/:\w+/, () => encodeURIComponent(id))
