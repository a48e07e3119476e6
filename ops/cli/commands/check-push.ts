import { realpathSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { errorRule, Problem } from '#shared/errors'
import { remediations } from '#shared/remediations'
import { topLevel } from '#ops/platform/git/work-tree'
import { hqHome } from '#ops/base/paths/paths'
import { checkPush, parsePushedRefs } from '#ops/features/ship/hook/check-push'
import { sayError } from '#ops/base/redact/crash-output'

/**
 * `hq check-push`: what `.githooks/pre-push` calls, with git's lines about the refs on standard input.
 * @returns 0, or 2 when the push must not happen
 * @throws {Problem} `invalid_request` when nobody hands it lines; `not_a_repository`
 */
export async function run(): Promise<number> {
  if (process.stdin.isTTY)
    throw new Problem(
      'invalid_request',
      'This is called by the pre-push hook, which hands it the pushed refs on standard input. Nothing was pushed.',
    )
  const repo = realpathSync(await topLevel(process.cwd()))
  try {
    for (const line of await checkPush(
      repo,
      hqHome(process.env),
      parsePushedRefs(await text(process.stdin)),
    ))
      sayError(`OpenClaw HQ: ${line}`)
    return 0
  } catch (error) {
    if (!(error instanceof Problem) || errorRule(error.errorClass).blocked !== true) throw error
    sayError(
      `${error.errorClass}: ${error.message}\nNext: ${remediations[errorRule(error.errorClass).next_auto_fix].title}`,
    )
    return 2
  }
}
