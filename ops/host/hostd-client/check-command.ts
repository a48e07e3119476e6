import type { ActionId } from '#shared/actions'
import { toProblem } from '#shared/errors'
import type { CheckResult, ResultDocument } from '#shared/result'
import { eventsOut } from '#ops/core/pipeline/events-out'
import { exitCodeOf } from '#ops/core/pipeline/exit-codes'
import { runThroughHostd } from './run-through.ts'
import { redact } from '#ops/base/redact/redaction'
import { cancelOnSignals, runContext, type RunContext } from '#ops/core/pipeline/run-context'
import { failDocument } from '#ops/core/pipeline/documents'
import { checkLine } from '#ops/core/pipeline/marks'

export interface CheckWork {
  readonly context: RunContext
  readonly signal: AbortSignal
  readonly log: (text: string) => void
}

export interface ActionCommand {
  readonly action: ActionId
  readonly params?: Record<string, unknown>
  readonly json?: boolean
  readonly unattended?: boolean
}

/**
 * Does the work of a command in this process: one line per check, the document as the last event.
 * @param json at a terminal: the document alone on standard output
 * @returns the exit code
 */
export async function runHere(
  action: string,
  work: (io: CheckWork) => Promise<ResultDocument & { checks?: unknown }>,
  { json = false }: { json?: boolean } = {},
): Promise<number> {
  const context = runContext()
  const emit = eventsOut({ quiet: json })
  const now = (): string => new Date().toISOString()
  const started_at = now()
  const log = (text: string): void =>
    emit({ type: 'log', time: now(), step: null, stream: 'hq', text: redact.text(text) })
  emit({ type: 'run_started', time: started_at, action, steps: [] })
  let document: ResultDocument
  try {
    document = await work({ context, signal: cancelOnSignals(), log })
    for (const check of (document['checks'] ?? []) as CheckResult[])
      emit({
        type: 'log',
        time: now(),
        step: null,
        stream: 'hq',
        text: redact.text(checkLine(check)),
        check: true,
      })
  } catch (error) {
    const problem = toProblem(error)
    for (const line of [...problem.evidence, `${problem.errorClass}: ${problem.message}`]) log(line)
    document = failDocument({ run_id: context.runId, started_at }, problem)
  }
  document = redact.json(document)
  emit({ type: 'run_finished', time: now(), result: document })
  if (json && !context.startedByRunner)
    process.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
  return exitCodeOf(document)
}

/** A command that is an action of hostd: inside a run it does the work; at a terminal it runs through hostd. */
export function runAsAction(
  { action, params = {}, ...options }: ActionCommand,
  work: Parameters<typeof runHere>[1],
): Promise<number> {
  return runContext().startedByRunner
    ? runHere(action, work)
    : runThroughHostd(action, params, options)
}
