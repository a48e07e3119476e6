import { actions } from '#shared/actions'
import { command, confined, environment, unprivileged, type UnitPlace } from './unit-settings.ts'

/**
 * A check that a timer starts: asks hostd for the action, follows it to its end, and has no privilege of its own.
 * @param seconds longest that it is followed; the run itself has its own limit
 */
const checkService = (
  place: UnitPlace,
  check: 'doctor' | 'guard',
  { title, condition = '', seconds }: { title: string; condition?: string; seconds: number },
): string => `[Unit]
Description=OpenClaw HQ: ${title}
After=openclaw-hostd.socket openclaw-runner.socket
Wants=openclaw-hostd.socket openclaw-runner.socket
${condition}
[Service]
Type=oneshot
# What it finds is shown by HQ and is no failure of the unit: that means it did not come through.
ExecStart=${command(place, 'ops/main.ts', check, '--unattended')}
WorkingDirectory=${place.paths.releases}/current
${environment(place)}
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

const noMaintenance = ({ paths }: UnitPlace): string =>
  `ConditionPathExists=!${paths.maintenance}\n`

/** A timer that was merely stopped is active again after a reboot, hence the condition, on both: a deploy that failed keeps doctor quiet. */
export const doctorService = (place: UnitPlace): string =>
  checkService(place, 'doctor', { title: 'doctor', seconds: 180, condition: noMaintenance(place) })
export const doctorTimer = (place: UnitPlace): string =>
  timer('doctor', { first: '3min', again: '15min', condition: noMaintenance(place) })

/** Guard runs during maintenance too: it then only observes. */
export const guardService = (place: UnitPlace): string =>
  checkService(place, 'guard', { title: 'guard', seconds: actions.guard.timeout_seconds + 120 })
export const guardTimer = (): string => timer('guard', { first: '2min', again: '2min' })
