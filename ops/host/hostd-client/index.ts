/** How programs on the host, and the CLI, use hostd. */
export { HostClient, hostClient, type JoinOptions } from './host-client.ts'
export { localHost, type HostAddress } from './local-host.ts'
export { runThroughHostd } from './run-through.ts'
