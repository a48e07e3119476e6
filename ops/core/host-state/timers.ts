import { Problem } from '#shared/errors'
import type { HostSettings } from '#shared/config'
import { baseEnv, runCommand } from '#ops/base/process/command'

const doctorTimer = 'openclaw-doctor.timer'

/**
 * Stops or starts doctor's timer for the time of a deploy, where the host's settings say there is one.
 * @returns one sentence for the log
 * @throws {Problem} `maintenance_not_written` when systemd refuses
 */
export async function setTimers(
  settings: HostSettings,
  to: 'stop' | 'start',
  signal?: AbortSignal,
): Promise<string> {
  if (settings.timers === 'none')
    return `this host has no timers, so there is no ${doctorTimer} to ${to}`
  const result = await runCommand(['systemctl', to, doctorTimer], {
    cwd: '/',
    env: baseEnv(),
    timeLimitSeconds: 30,
    ...(signal ? { signal } : {}),
  })
  if (result.exitCode === 0) return `systemctl ${to} ${doctorTimer}: done`
  throw new Problem(
    'maintenance_not_written',
    `systemctl ${to} ${doctorTimer} failed: ${result.stderrTail.split('\n').at(-1) ?? 'no reason given'}`,
  )
}
