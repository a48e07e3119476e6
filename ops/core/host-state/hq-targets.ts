import type { HostSettings } from '#shared/config'
import type { HostPaths } from '#ops/base/paths/paths'
import type { HqTargets } from '#ops/platform/net/serve-target'

/** What of this host Tailscale Serve may offer, and what not. @param hostdPort loopback port of hostd */
export const hqTargets = (
  { tailnetSocket }: Pick<HostPaths, 'tailnetSocket'>,
  settings: HostSettings,
  hostdPort: number,
): HqTargets => ({
  hostdPort,
  consolePort: settings.console_port,
  tailnetSocket,
  dockerSocket: settings.docker_socket,
  narrowed: settings.allowed_logins.length + settings.allowed_tags.length > 0,
})
