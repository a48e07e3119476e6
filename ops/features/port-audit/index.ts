// The port audit, as other features see it. Another feature may import only what this file exports.
export { auditChecks, auditClass } from './checks.ts'
export { reachableSockets, socketExposures } from './host-sockets.ts'
export { sharedPortChecks } from './shared-audit.ts'
