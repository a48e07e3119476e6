// Deploy and its checks, as other features see them. Only what stands here may be imported by another feature.
export { syncToRemote } from './git-sync.ts'
export { provePullOnly } from './pull-only.ts'
