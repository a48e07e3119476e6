// The units of doctor and guard, and their timers.
import { actions } from '#shared/actions'
import { command, confined, environment, unprivileged, type UnitPaths } from './unit-settings.ts'

/**
 * A check that a timer starts: it starts the action through hostd and follows it to its end, without any privilege.
 * @param seconds longest that it is followed; the run itself has its own limit
 */
const checkService = (
  host: UnitPaths,
  check: 'doctor' | 'guard',
  { title, condition = '', seconds }: { title: string; condition?: string; seconds: number },
): string => `[Unit]
Description=OpenClaw HQ: ${title}
After=openclaw-hostd.socket openclaw-runner.socket
Wants=openclaw-hostd.socket openclaw-runner.socket
${condition}
[Service]
Type=oneshot
# HQ shows what it finds. The unit fails only when the check could not be run.
ExecStart=${command(host, 'ops/main.ts', check, '--unattended')}
WorkingDirectory=${host.paths.releases}/current
${environment(host)}
Environment=HOME=/nonexistent
TimeoutStartSec=${seconds}s
${unprivileged}
${confined}
# It talks to hostd's loopback port and to nobody else.
RestrictAddressFamilies=AF_UNIX AF_INET
IPAddressDeny=any
IPAddressAllow=localhost
MemoryMax=512M
TasksMax=128
`

const timer = (
  title: string,
  { first, again, condition = '' }: { first: string; again: string; condition?: string },
): string => `[Unit]
Description=OpenClaw HQ: ${title}, from time to time
${condition}
[Timer]
OnActiveSec=${first}
OnUnitInactiveSec=${again}
AccuracySec=10s

[Install]
WantedBy=timers.target
`

const noMaintenance = ({ paths }: UnitPaths): string =>
  `ConditionPathExists=!${paths.maintenance}\n`

/**
 * A timer that was only stopped is active again after a reboot. Hence the condition on both units: after a deploy that
 * failed, doctor stays off.
 */
export const doctorService = (host: UnitPaths): string =>
  checkService(host, 'doctor', { title: 'doctor', seconds: 180, condition: noMaintenance(host) })
export const doctorTimer = (host: UnitPaths): string =>
  timer('doctor', { first: '3min', again: '15min', condition: noMaintenance(host) })

/** Guard runs during maintenance too: it then only observes. */
export const guardService = (host: UnitPaths): string =>
  checkService(host, 'guard', { title: 'guard', seconds: actions.guard.timeout_seconds + 120 })
export const guardTimer = (): string => timer('guard', { first: '2min', again: '2min' })
