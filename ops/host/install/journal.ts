import { toProblem } from '#shared/errors'
import { runHostProgram } from '#ops/base/process/host-program'

/**
 * The last lines that a unit wrote, for the evidence of a failure.
 * @param since seconds since 1970; absent: however old they are
 * @returns up to 40 lines; why the journal cannot be read, when it cannot
 */
export async function journalOf(unit: string, since?: number): Promise<string[]> {
  const { stdout } = await runHostProgram([
    'journalctl',
    `--unit=${unit}`,
    ...(since === undefined ? [] : [`--since=@${since}`]),
    '--lines=40',
    '--output=cat',
    '--no-pager',
  ]).catch((error: unknown) => ({ stdout: toProblem(error).message }))
  return stdout.trim().split('\n')
}
