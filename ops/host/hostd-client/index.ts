/** How programs on the host, and the CLI, use hostd. */
export { HostClient, hostClient } from './host-client.ts'
export { localHost } from './local-host.ts'
export { runThroughHostd } from './run-through.ts'
