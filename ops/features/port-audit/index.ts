// The port audit, as other features see it. Only what stands here may be imported by another feature.
export { portChecks } from './audit.ts'
export { auditChecks, auditClass } from './checks.ts'
export { reachableSockets, socketExposures } from './host-sockets.ts'
