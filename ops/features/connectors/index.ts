// The connectors, as other features see them. Another feature may import only what this file exports.
export { checkConnectorsAsSecretOwner } from './check-as-secret-owner.ts'
export { connectors } from './registry.ts'
