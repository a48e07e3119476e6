/** How programs on the host, and the CLI, talk to hostd (design §5). */
export { hostClient, type HostClient, type JoinOptions, type Started } from './client.ts'
export { localHost, type FollowOptions, type HostAddress } from './request.ts'
export { runThroughHostd } from './run-through.ts'
