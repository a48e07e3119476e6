import { toProblem } from '#shared/errors'
import { baseEnv, runCommand } from '#ops/base/process/command'

/** `journalctl --identifier=openclaw-guard` shows the passes. */
const journalIdentifier = 'openclaw-guard'

/** Writes one line to the journal of the system. @returns why it failed; null when it is written */
export async function toJournal(line: string): Promise<string | null> {
  try {
    const { exitCode, stderrTail } = await runCommand(
      ['systemd-cat', `--identifier=${journalIdentifier}`, '--priority=info'],
      { cwd: '/', env: baseEnv(), timeLimitSeconds: 10, input: `${line}\n` },
    )
    return exitCode === 0 ? null : `systemd-cat ended with ${String(exitCode)}: ${stderrTail}`
  } catch (error) {
    return toProblem(error).message
  }
}
