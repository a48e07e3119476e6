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

/** @throws {Problem} of class `errorClass` with systemd's own words */
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
  if (exitCode !== 0)
    throw new Problem(
      errorClass,
      `systemctl ${args.join(' ')} ${timedOut ? `took longer than ${seconds} s` : 'failed'}: ${stderrTail.split('\n').at(-1) || 'no reason given'}.`,
    )
  return stdout
}

/** What systemd knows of a unit; one that it does not know has the load state `not-found`. @throws {Problem} of class `errorClass` */
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

/** An operator has forbidden to start it. */
export const isMasked = ({ LoadState, UnitFileState }: UnitState): boolean =>
  LoadState === 'masked' || UnitFileState.startsWith('masked')
