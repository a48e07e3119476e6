import { Problem } from '#shared/errors'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { currentUnit } from './systemd-unit.ts'

/**
 * Time limit of the probe, seconds. A host that goes down is busy, and a probe that ends too early would call its
 * shutdown a cancel; the tree still ends well within the time that systemd gives the unit.
 */
const answerSeconds = 8

/**
 * True when systemd shuts this host down. A cancel and a reboot send the same signal, so the signal alone does not
 * say.
 */
async function hostGoesDown(): Promise<boolean> {
  if (currentUnit() === null) return false
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
    return false // without an answer the signal counts as a cancel
  }
}

/**
 * Ends the run on SIGTERM, SIGINT and SIGHUP.
 * @returns a signal that fires without a reason for a cancel, and with the problem `interrupted` when the host
 * goes down
 */
export function stopOnSignals(): AbortSignal {
  const abort = new AbortController()
  let signalled = false
  for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(name, () => {
      if (signalled) return
      signalled = true
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
