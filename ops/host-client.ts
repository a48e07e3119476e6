/** How programs on the host, and the CLI, talk to hostd (design §5). */
export { hostClient, type HostClient, type JoinOptions, type Started } from './host/client.ts'
export { localHost, type FollowOptions, type HostAddress } from './host/request.ts'
export { runThroughHostd } from './host/run-through.ts'
