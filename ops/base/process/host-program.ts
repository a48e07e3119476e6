import { baseEnv, runCommand } from './command.ts'
import { Problem } from '#shared/errors'

/** Runs one of the host's own programs. @returns how it ended */
export async function runHostProgram(
  argv: readonly [string, ...string[]],
): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderrTail } = await runCommand(argv, {
    cwd: '/',
    env: baseEnv(),
    timeLimitSeconds: 120,
    keepStdout: true,
  })
  return { exitCode, stdout, stderr: stderrTail }
}

/** The same for one that must end well. @throws {Problem} `install_failed` with its last output */
export async function requireHostProgram(argv: readonly [string, ...string[]]): Promise<string> {
  const { exitCode, stdout, stderr } = await runHostProgram(argv)
  if (exitCode !== 0)
    throw new Problem(
      'install_failed',
      `${argv.join(' ')} ended with ${String(exitCode)}: ${stderr.trim()} Completed steps stay; ` +
        'a new installation continues from there.',
    )
  return stdout
}
