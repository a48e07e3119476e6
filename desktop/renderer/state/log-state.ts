import type { RunEvent } from '#shared/events'
import type { ErrorClass } from '#shared/errors'
import type { ResultDocument, StepStatus } from '#shared/result'
import { stepTitle } from '#shared/steps'

export interface LogLine {
  readonly kind: 'line'
  /** Number among the log lines of the run, from 1. */
  readonly number: number
  readonly seq: number
  readonly time: number
  readonly step: string | null
  readonly stream: 'stdout' | 'stderr' | 'hq'
  readonly text: string
}
/** A separator: where a step starts or ends. */
export interface LogMark {
  readonly kind: 'mark'
  readonly seq: number
  readonly text: string
}
export type LogRow = LogLine | LogMark

export interface LiveStep {
  readonly name: string
  status: StepStatus
  /** Milliseconds since the epoch. */
  started: number | null
  duration_ms: number | null
  detail: string | null
  error_class: ErrorClass | null
  /** Row of its first line, to go there. */
  row: number | null
}

/** A run as its events describe it. Grows in place; `version` says that it did. */
export interface LogState {
  version: number
  readonly rows: LogRow[]
  lines: number
  bytes: number
  lastSeq: number
  /** Numbers that never arrived, however often they were requested. */
  gaps: number
  started: number | null
  attempt: number | null
  attempts: number
  steps: LiveStep[]
  truncated: boolean
  result: ResultDocument | null
}

export const emptyLog = (): LogState => ({
  version: 0,
  rows: [],
  lines: 0,
  bytes: 0,
  lastSeq: 0,
  gaps: 0,
  started: null,
  attempt: null,
  attempts: 0,
  steps: [],
  truncated: false,
  result: null,
})

const stepOf = (state: LogState, name: string): LiveStep => {
  const known = state.steps.findLast((step) => step.name === name)
  if (known) return known
  const fresh: LiveStep = {
    name,
    status: 'waiting',
    started: null,
    duration_ms: null,
    detail: null,
    error_class: null,
    row: null,
  }
  state.steps.push(fresh)
  return fresh
}

/** Takes one event into the state. The caller has made sure that it is the next one. */
export function takeEvent(state: LogState, event: RunEvent): void {
  state.lastSeq = event.seq
  const time = Date.parse(event.time)
  switch (event.type) {
    case 'run_started':
      state.started ??= time
      // The steps of a new attempt replace those of the one before; an outer run that only wraps has none.
      if (event.steps.length > 0) {
        state.steps = []
        for (const name of event.steps) stepOf(state, name)
        state.attempts += 1
        state.attempt = event.attempt ?? state.attempts
        if (state.attempts > 1)
          state.rows.push({
            kind: 'mark',
            seq: event.seq,
            text: `${event.steps.includes('repair') ? 'repair' : 'attempt'} ${state.attempt}`,
          })
      }
      return
    case 'step_started': {
      const step = stepOf(state, event.step)
      step.status = 'running'
      step.started = time
      step.row = state.rows.length
      state.rows.push({ kind: 'mark', seq: event.seq, text: stepTitle(event.step) })
      return
    }
    case 'log':
      state.lines += 1
      state.bytes += event.text.length + 1
      state.rows.push({
        kind: 'line',
        number: state.lines,
        seq: event.seq,
        time,
        step: event.step,
        stream: event.stream,
        text: event.text,
      })
      return
    case 'step_finished': {
      const step = stepOf(state, event.step)
      Object.assign(step, {
        status: event.status,
        duration_ms: event.duration_ms,
        detail: event.detail,
        error_class: event.error_class,
      })
      if (event.status === 'failed' || event.status === 'cancelled')
        state.rows.push({
          kind: 'mark',
          seq: event.seq,
          text: `${stepTitle(event.step)} ${event.status}${event.error_class ? `, ${event.error_class}` : ''}`,
        })
      return
    }
    case 'log_truncated':
      state.truncated = true
      state.rows.push({
        kind: 'mark',
        seq: event.seq,
        text: 'the log reached its limit; from here on only steps are kept',
      })
      return
    case 'run_finished':
      state.result = event.result
      for (const step of state.steps)
        if (step.status === 'waiting' || step.status === 'running') step.status = 'not_reached'
      return
    default:
      event satisfies never
  }
}

/** Counts of nothing: *2 passed, 0 failed* is not an error. */
const noneOfIt = /\b(?:0|no) (?:failed|failures|errors?|exceptions?)\b/gi
const looksWrong = /\b(?:error|fatal|failed|exception|traceback|refused|denied)\b|✗|\bERR!/i

/**
 * Row of the first error: the line the triage names, else the first line of the failed step that reads like one,
 * else the failed step's last line. Null while nothing failed, and when somebody cancelled the run.
 * @param named the triage's `line` in the log of `step`, when there is a triage
 */
export function firstErrorRow(
  state: LogState,
  named: { step: string; line: number } | null,
): number | null {
  if (state.result?.error_class === 'cancelled') return null
  const failed = state.steps.find(({ status }) => status === 'failed') ?? null
  const name = named?.step ?? failed?.name ?? state.result?.step_failed ?? null
  if (name === null) return null
  const from = state.steps.findLast((step) => step.name === name)?.row ?? 0
  const own: number[] = []
  for (let row = from; row < state.rows.length; row += 1) {
    const each = state.rows[row]
    if (each?.kind === 'line' && each.step === name) own.push(row)
  }
  if (named) return own[named.line - 1] ?? null
  return (
    own.find((row) => looksWrong.test((state.rows[row] as LogLine).text.replace(noneOfIt, ''))) ??
    own.at(-1) ??
    null
  )
}
