import type { EventBody } from '#shared/events'
import { errorRule } from '#shared/errors'
import { remediations } from '#shared/errors/remediations'
import { stepTitle } from '#shared/steps'
import { checkResult, type ResultDocument } from '#shared/result'
import { checkTable } from './check-table.ts'
import { sayError } from '#ops/base/redact/crash-output'
import { stepMark } from './marks.ts'

const seconds = (ms: number): string => (ms < 100 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`)

/**
 * Shows control characters other than tab instead of sending them: a log line must not move the cursor or retitle the
 * window.
 */
// eslint-disable-next-line no-control-regex
export const printable = (text: string): string =>
  text
    .replace(/\u001b\[[0-9;]*m/g, '')
    .replace(
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g,
      (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`,
    )

/** The checks of a result that has some, as wide as the terminal; without a terminal, one line for each check. */
function tableOf(result: ResultDocument): string[] {
  const checks = checkResult.array().safeParse(result['checks'])
  if (!checks.success) return []
  const columns = process.stderr.isTTY ? process.stderr.columns : null
  return checkTable(
    checks.data.map((check) => ({
      ...check,
      name: printable(check.name),
      detail: printable(check.detail),
    })),
    columns,
  )
}

function finishedLine({
  status,
  step,
  duration_ms,
  detail,
}: Extract<EventBody, { type: 'step_finished' }>): string {
  const line = `${stepMark[status]} ${stepTitle(step)} ${seconds(duration_ms)}`
  return detail ? `${line}  ${printable(detail)}` : line
}

/** One event as terminal lines, on standard error, without what is secret: standard output belongs to `--json`. */
export function printEvent(event: EventBody): void {
  switch (event.type) {
    case 'run_started':
      return sayError(
        event.steps.length === 0
          ? event.action
          : `${event.action}: ${event.steps.map(stepTitle).join(' → ')}`,
      )
    case 'step_started':
      return sayError(`▸ ${stepTitle(event.step)}`)
    case 'log':
      return event.check === true ? undefined : sayError(`  ${printable(event.text)}`)
    case 'step_finished':
      return sayError(finishedLine(event))
    case 'log_truncated':
      return sayError(`  (log cut after ${event.bytes} bytes)`)
    case 'run_finished': {
      const { overall, error_class, next_auto_fix } = event.result
      for (const line of tableOf(event.result)) sayError(line)
      sayError(
        error_class === null ? overall : `FAIL ${error_class}: ${errorRule(error_class).sentence}`,
      )
      if (next_auto_fix) sayError(`Next: ${remediations[next_auto_fix].title}`)
      return
    }
    default:
      event satisfies never
  }
}
