import { actionOf, type ActionId } from '#shared/actions'
import { Problem } from '#shared/errors'
import type { RunEvent } from '#shared/events'
import { resultDocument, type ResultDocument } from '#shared/result'
import { resultOf } from '#shared/result-forms'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import { codeOf } from '#shared/system-error'
import { printEvent } from '#ops/core/pipeline/report'
import { cancelOnSignals } from '#ops/core/pipeline/run-context'
import { failDocument } from '#ops/core/pipeline/documents'
import { sayError } from '#ops/base/redact/crash-output'
import { hostClient } from './host-client.ts'
import { runWithoutHostd } from './without-hostd.ts'

/**
 * What a command typed on a host does: it has hostd start the action, follows the run and prints it. The same action is
 * joined if it runs already. If hostd is unreachable, or the host has no token that can be used, the same runner is
 * started under the same locks: doctor must be able to say what is wrong. Ctrl-C stops following; the run goes on.
 *
 * @param json the result document alone on standard output, nothing on standard error
 * @param unattended started by a timer: a check that gave a result ends with 0 whatever it found, which HQ shows
 * @returns the exit code: 0 PASS, 1 FAIL
 * @throws {Problem} what hostd refused
 */
export async function runThroughHostd(
  action: ActionId,
  params: Record<string, unknown> = {},
  { json = false, unattended = false }: { json?: boolean; unattended?: boolean } = {},
): Promise<number> {
  const signal = cancelOnSignals()
  const say = (text: string): void => {
    if (!json) sayError(text)
  }
  const onEvents = (events: readonly RunEvent[]): void => {
    if (!json) for (const event of events) printEvent(event)
  }
  const document = await throughHostd().catch(async (error: unknown) => {
    if (!(error instanceof Problem && runsDirectly(error))) throw error
    say(`${error.message} The runner is started directly.`)
    return await runWithoutHostd(action, params, { onEvents, signal })
  })
  if (json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
  const gaveResult = resultOf(actionOf(action).result, document) !== null
  return unattended && gaveResult ? 0 : exitCodeOf(document)

  async function throughHostd(): Promise<ResultDocument> {
    const client = hostClient()
    await client.requireAnswering()
    let followed: string | null = null
    const onRun = (id: string, joined: boolean): void => {
      followed = id
      say(joined ? `Joined ${id}, which is running already.` : `Started ${id}.`)
    }
    try {
      const { run } = await client.startOrJoin(action, params, { onEvents, onRun, signal })
      if (run.result !== null) return resultDocument.parse(run.result)
      const started_at = run.started_at ?? run.requested_at
      return failDocument(
        { run_id: run.run_id, started_at },
        {
          errorClass: run.error_class ?? 'action_no_result',
          message: `The run ended as ${run.status} without a result document.`,
        },
      )
    } catch (error) {
      // Once a run is started it must not be started a second time beside hostd.
      if (followed !== null && error instanceof Problem && error.errorClass === 'hostd_unreachable')
        throw new Problem(
          'runner_lost',
          `hostd became unreachable while ${String(followed)} was followed: ${error.message} The run goes on.`,
          { cause: error },
        )
      throw error
    }
  }
}

/** Was nothing started because of the host itself? A user who cannot read the token has no business with the runner. */
const runsDirectly = ({ errorClass, cause }: Problem): boolean =>
  errorClass === 'hostd_unreachable' ||
  (errorClass === 'token_not_configured' && codeOf(cause) !== 'EACCES')
