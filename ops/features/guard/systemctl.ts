import { z } from 'zod'
import { Problem, type ErrorClass } from '#shared/errors'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { describeIssues } from '#ops/base/files/json-file'

const shown = z.object({
  LoadState: z.string().min(1),
  UnitFileState: z.string(),
  ActiveState: z.string().min(1),
})
export type UnitState = z.infer<typeof shown>

/** Runs systemctl. @throws {Problem} of class `errorClass` with the message of systemd */
export async function systemctl(
  args: readonly string[],
  {
    errorClass,
    signal,
    seconds = 30,
  }: { errorClass: ErrorClass; signal?: AbortSignal | undefined; seconds?: number },
): Promise<string> {
  const { exitCode, timedOut, stdout, stderrTail } = await runCommand(['systemctl', ...args], {
    cwd: '/',
    env: baseEnv(),
    timeLimitSeconds: seconds,
    keepStdout: true,
    ...(signal ? { signal } : {}),
  })
  if (exitCode !== 0) {
    const what = timedOut ? `took longer than ${seconds} s` : 'failed'
    const why = stderrTail.split('\n').at(-1) || 'no reason given'
    throw new Problem(errorClass, `systemctl ${args.join(' ')} ${what}: ${why}.`)
  }
  return stdout
}

/**
 * The state of a unit. A unit that systemd does not know has the load state `not-found`.
 * @throws {Problem} of class `errorClass`
 */
export async function unitState(
  unit: string,
  errorClass: ErrorClass,
  signal?: AbortSignal,
): Promise<UnitState> {
  const text = await systemctl(['show', '--property=LoadState,UnitFileState,ActiveState', unit], {
    errorClass,
    signal,
  })
  const parsed = shown.safeParse(
    Object.fromEntries(
      text
        .split('\n')
        .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    ),
  )
  if (!parsed.success)
    throw new Problem(
      errorClass,
      `systemctl show ${unit} has an unknown shape: ${describeIssues(parsed.error)}.`,
    )
  return parsed.data
}

/** An operator has forbidden that it starts. */
export const isMasked = ({ LoadState, UnitFileState }: UnitState): boolean =>
  LoadState === 'masked' || UnitFileState.startsWith('masked')
