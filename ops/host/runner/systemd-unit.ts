import { envValue, wholeEnvironment, type Environment } from '#ops/base/env'
import { Problem } from '#shared/errors'
import { baseEnv, runCommand } from '#ops/base/process/command'

/** Only a unit of a run is ever stopped, whatever a record says. */
const runnerUnit = /^openclaw-runner@[A-Za-z0-9:_.-]+\.service$/

/** The unit this process was started as, as its unit file names it. @returns null when it was not started by systemd */
export function currentUnit(env: Environment = wholeEnvironment()): string | null {
  const unit = envValue('OPENCLAW_UNIT', env)
  return unit !== undefined && runnerUnit.test(unit) ? unit : null
}

/**
 * Stops a unit with everything in its cgroup, and waits until it is gone. One that has gone already is fine.
 * @throws {Problem} `internal_error` when systemd could not stop it
 */
export async function stopUnit(unit: string): Promise<void> {
  if (!runnerUnit.test(unit))
    throw new Problem(
      'internal_error',
      `${JSON.stringify(unit)} is not a unit of a run. Nothing was stopped.`,
    )
  const { exitCode, stderrTail, timedOut } = await runCommand(['systemctl', 'stop', unit], {
    cwd: '/',
    env: baseEnv(),
    timeLimitSeconds: 30,
  })
  // 5: systemd does not know the unit any more, because it has ended and was forgotten.
  if (exitCode !== 0 && exitCode !== 5)
    throw new Problem(
      'internal_error',
      `systemd could not stop ${unit}${timedOut ? ' within 30 s' : ''}: ${stderrTail}`,
    )
}
