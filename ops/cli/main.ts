// The command line of HQ: everything but `hq hostd` and `hq serve`, which the launcher ops/hq.mjs starts.
import { CommanderError } from 'commander'
import { toProblem } from '#shared/errors'
import { describeThrown, redactCrashes, sayError } from '#ops/base/redact/crash-output'
import { loadSecrets } from '#ops/base/redact/known-secrets'
import { printProblem } from '#ops/cli/output/print-problem'
import { buildProgram } from '#ops/cli/program'
import { exitUsage } from '#ops/core/pipeline/exit-codes'
import { takeInheritedShipKey } from '#ops/core/trust/inherited-ship-key'

redactCrashes()
loadSecrets()

try {
  takeInheritedShipKey()
  await buildProgram((exitCode) => {
    process.exitCode = exitCode
  }).parseAsync()
} catch (error) {
  process.exitCode = reportFailure(error)
}

/** @returns the exit code: 64 when the command line or the configuration is wrong, else 1 */
function reportFailure(error: unknown): number {
  // Commander has printed what is wrong with the command line.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitUsage
  const problem = toProblem(error)
  printProblem(problem)
  if (problem.errorClass === 'internal_error' && problem.cause instanceof Error)
    sayError(describeThrown(problem.cause))
  return problem.errorClass === 'config_invalid' ? exitUsage : 1
}
