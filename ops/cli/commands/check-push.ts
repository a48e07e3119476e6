import { realpathSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { errorRule, Problem } from '#shared/errors'
import { topLevel } from '#ops/platform/git/work-tree'
import { hqHome } from '#ops/base/paths/paths'
import { checkPush, parsePushedRefs } from '#ops/features/ship/hook/check-push'
import { sayError } from '#ops/base/redact/crash-output'
import { printProblem } from '../output/print-problem.ts'

/**
 * `hq check-push`: `.githooks/pre-push` calls it, with git's lines about the refs on standard input.
 * @returns 0, or 2 when the push must not happen
 * @throws {Problem} `invalid_request` when standard input is a terminal; `not_a_repository`
 */
export async function run(): Promise<number> {
  if (process.stdin.isTTY)
    throw new Problem(
      'invalid_request',
      'Only the pre-push hook calls this command, with the pushed refs on standard input. Nothing was pushed.',
    )
  const repo = realpathSync(await topLevel(process.cwd()))
  try {
    for (const line of await checkPush(repo, hqHome(), parsePushedRefs(await text(process.stdin))))
      sayError(`OpenClaw HQ: ${line}`)
    return 0
  } catch (error) {
    if (!(error instanceof Problem) || errorRule(error.errorClass).blocked !== true) throw error
    printProblem(error)
    return 2
  }
}
