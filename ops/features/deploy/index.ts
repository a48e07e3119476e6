// Deploy and its checks, as other features see them. Only what stands here may be imported by another feature.
export { syncToRemote } from './sync/sync-to-remote.ts'
export { provePullOnly } from './sync/pull-only.ts'
