// What the units of HQ have in common.
import { dirname } from 'node:path'
import type { HostPaths } from '#ops/base/paths/paths'
import { hostdUser } from '#ops/platform/accounts/account'
import { currentRelease } from '#ops/core/host-state/releases'

/** Where systemd takes the units of an administrator from. */
export const unitFolder = '/etc/systemd/system'

/** What the units of a host are written for. */
export interface UnitPaths {
  readonly paths: HostPaths
  readonly port: number
}

/** Start of a program of the release that `current` names. Its own Node, its own sources: nothing of the clone. */
export function command(
  { paths }: UnitPaths,
  ...parts: readonly [source: string, ...args: string[]]
): string {
  const release = currentRelease(paths)
  const [source, ...args] = parts
  return [`${release}/node_modules/.bin/node`, `${release}/${source}`, ...args].join(' ')
}

/** The host's folders and addresses. No secret: hostd and clients read the token file. */
export function environment({ paths, port }: UnitPaths): string {
  const variables = {
    OPENCLAW_ROOT: paths.root,
    OPENCLAW_ETC: paths.etc,
    OPENCLAW_STATE: paths.state,
    OPENCLAW_ARTIFACTS: paths.artifacts,
    OPENCLAW_SOCKETS: dirname(paths.runnerSocket),
    OPENCLAW_HQ_INSTALL: currentRelease(paths),
    OPENCLAW_HOSTD_PORT: String(port),
    LANG: 'C.UTF-8',
  }
  return Object.entries(variables)
    .map(([name, value]) => `Environment=${name}=${value}`)
    .join('\n')
}

/** What no unit of HQ needs. Node compiles at run time, so MemoryDenyWriteExecute= is not possible. */
export const confined = `NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectHostname=yes
ProtectClock=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectKernelLogs=yes
ProtectControlGroups=yes
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RemoveIPC=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallErrorNumber=EPERM`

/** An ordinary account without any privilege. The rest of /proc is hidden; its sys part stays, for the boot id. */
export const unprivileged = `User=${hostdUser}
Group=${hostdUser}
CapabilityBoundingSet=
AmbientCapabilities=
PrivateUsers=yes
ProtectProc=invisible
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
# Control of Docker is control of the host: only the runner may reach it.
InaccessiblePaths=-/run/docker.sock -/run/containerd
UMask=0077`
