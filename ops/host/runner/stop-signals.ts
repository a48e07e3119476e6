import { Problem } from '#shared/errors'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { ownUnit } from './systemd-unit.ts'

/** A host that goes down has much else to do, and one that is asked too briefly would be told to have cancelled; the tree still ends well within the time that systemd gives the unit. */
const answerSeconds = 8

/** Does systemd shut this host down? Asked when we are told to end: a cancel and a reboot send the same signal. */
async function hostGoesDown(): Promise<boolean> {
  if (ownUnit() === null) return false
  try {
    const { stdout } = await runCommand(['systemctl', 'is-system-running'], {
      cwd: '/',
      env: baseEnv(),
      timeLimitSeconds: answerSeconds,
      keepStdout: true,
    })
    return stdout.trim() === 'stopping'
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return false // whoever cannot ask was ended: that is what a cancel is
  }
}

/**
 * Ends the run on SIGTERM, SIGINT and SIGHUP.
 * @returns a signal that fires without a reason of its own for a cancel, and with the problem `interrupted` when the host goes down
 */
export function stopOnSignals(): AbortSignal {
  const abort = new AbortController()
  let told = false
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (told) return
      told = true
      void hostGoesDown().then((down) =>
        abort.abort(
          down
            ? new Problem(
                'interrupted',
                'The host was shut down or rebooted while the run was under way.',
              )
            : undefined,
        ),
      )
    })
  }
  return abort.signal
}
