import { hasCode } from '#shared/system-error'
import { Problem } from '#shared/errors'
import { runCommand } from './command.ts'

/** The programs run with no more than this: their output must not depend on the caller. */
const toolEnv = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  HOME: '/',
}

export interface ToolAnswer {
  readonly exitCode: number | null
  readonly stdout: string
  /** Last line of what it complained about. */ readonly complaint: string
}

/**
 * Runs a program of the host, which may be missing.
 * @param argv its name and arguments; it is searched in the system's folders only
 * @returns how it ended; null when there is no such program
 * @throws {Problem} `cancelled`; `internal_error` when it cannot be started for another reason
 */
export async function hostTool(
  argv: readonly string[],
  signal: AbortSignal,
): Promise<ToolAnswer | null> {
  try {
    const {
      exitCode,
      signal: endedBy,
      stdout,
      stderrTail,
    } = await runCommand(argv, {
      cwd: '/',
      env: toolEnv,
      timeLimitSeconds: 30,
      keepStdout: true,
      signal,
    })
    const complaint = stderrTail.split('\n').findLast((line) => line.trim() !== '') ?? ''
    return {
      exitCode,
      stdout,
      complaint: complaint === '' && endedBy !== null ? `it was ended by ${endedBy}` : complaint,
    }
  } catch (error) {
    const cause = error instanceof Problem ? error.cause : undefined
    if (hasCode(cause, 'ENOENT')) return null
    throw error
  }
}

/** The same for one that must end well. @throws {Problem} `internal_error` with its last output */
export async function hostToolText(
  argv: readonly string[],
  signal: AbortSignal,
): Promise<string | null> {
  const answer = await hostTool(argv, signal)
  if (answer === null) return null
  if (answer.exitCode !== 0)
    throw new Problem(
      'internal_error',
      `${argv.join(' ')} ended with ${answer.exitCode ?? 'a signal'}: ${answer.complaint}`,
    )
  return answer.stdout
}
