// The unit by which a deploy installs the release that it made.
import { releaseMark } from '#ops/base/paths/release-mark'
import { confined, environment, unitFolder, type UnitPaths } from './unit-settings.ts'

export const upgradeUnit = (release: string): string => `openclaw-upgrade@${release}.service`

/** What the root of this unit may do, each with its reason. */
export const upgradeCapabilities = {
  CAP_CHOWN: 'folders and the token belong to several accounts',
  CAP_FOWNER: 'modes of files that belong to those accounts',
  CAP_DAC_OVERRIDE: 'reads folders of those accounts',
} as const

/**
 * Runs the `hq install hostd` of the complete release %i. A deploy starts this unit, because a run may not write units.
 * It is a separate unit, so that a run that is ended meanwhile leaves nothing half done.
 */
export const upgradeService = (host: UnitPaths): string => {
  const { paths } = host
  const release = `${paths.releases}/%i`
  return `[Unit]
Description=OpenClaw HQ: installs the release %i
# Half an installation is never run.
AssertPathExists=${release}/${releaseMark}
CollectMode=inactive-or-failed

[Service]
Type=oneshot
# By env(1): systemd wants a program that is there whatever %i is.
ExecStart=/usr/bin/env ${release}/node_modules/.bin/node ${release}/ops/main.ts install hostd
WorkingDirectory=/
${environment(host)}
Environment=OPENCLAW_HQ_INSTALL=${release}
Environment=HOME=/nonexistent
TimeoutStartSec=110s
${confined}
# Units, the settings and folders of the host. Accounts are made by a person's installation only.
ReadWritePaths=${[unitFolder, paths.etc, paths.state, paths.root, paths.artifacts].join(' ')}
${Object.entries(upgradeCapabilities)
  .map(([name, why]) => `# ${name}: ${why}`)
  .join('\n')}
CapabilityBoundingSet=${Object.keys(upgradeCapabilities).join(' ')}
AmbientCapabilities=
ProtectProc=invisible
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallFilter=@chown
# Control of Docker is control of the host: only the runner may reach it.
InaccessiblePaths=-/run/docker.sock -/run/containerd
# It talks to systemd, and to hostd on its loopback port.
RestrictAddressFamilies=AF_UNIX AF_INET
IPAddressDeny=any
IPAddressAllow=localhost
UMask=0022
MemoryMax=512M
TasksMax=128
`
}
