// The result of a ship whose process is gone and that left no readable one, from its events.
import type { RunEvent } from '#shared/events'
import type { ShipResult, StepResult } from '#shared/result'
import { resultFieldsOf } from '#ops/core/pipeline/documents'
import { followRunLog } from '#ops/core/pipeline/run-log'
import { shipEvents } from './folder.ts'

export interface Interruption {
  /** `action_no_result`: there is a result that cannot be read. */
  readonly errorClass: 'interrupted' | 'action_no_result'
  readonly detail: string
}

export async function interruptedResult(
  repository: string,
  id: string,
  { errorClass, detail }: Interruption,
): Promise<ShipResult> {
  const course = new Course(detail)
  for await (const events of followRunLog(shipEvents(repository, id), {
    after: 0,
    ended: () => true,
    signal: new AbortController().signal,
  }))
    for (const event of events) course.take(event)
  const start = course.startedAt ?? timeInId(id)
  return {
    ...resultFieldsOf(
      { runId: id, startedAt: start, steps: course.steps },
      {
        errorClass,
        step: course.steps.find(({ status }) => status !== 'passed' && status !== 'skipped')?.name,
      },
    ),
    finished_at: course.lastAt ?? start,
    since_sha: null,
    verdict_id: null,
    pushed_sha: null,
    remote_sha: null,
    scripted_review: false,
    tests: [],
  }
}

/** What the events say of each step. A step that did not finish counts as cancelled. */
class Course {
  startedAt: string | null = null
  lastAt: string | null = null
  readonly #steps = new Map<string, StepResult>()
  readonly #detail: string

  constructor(detail: string) {
    this.#detail = detail
  }

  get steps(): StepResult[] {
    return [...this.#steps.values()]
  }

  take(event: RunEvent): void {
    this.lastAt = event.time
    if (event.type === 'run_started') {
      this.startedAt = event.time
      for (const name of event.steps) this.#set(name, { status: 'not_reached' })
    } else if (event.type === 'step_started')
      this.#set(event.step, {
        status: 'cancelled',
        started_at: event.time,
        log: `${event.step}.log`,
        detail: this.#detail,
      })
    else if (event.type === 'step_finished')
      this.#set(event.step, {
        status: event.status,
        started_at: this.#steps.get(event.step)?.started_at ?? null,
        duration_ms: event.duration_ms,
        log: event.status === 'skipped' ? null : `${event.step}.log`,
        detail: event.detail,
      })
  }

  #set(name: string, known: Partial<StepResult> & Pick<StepResult, 'status'>): void {
    const unknown = { started_at: null, duration_ms: null, log: null, detail: null }
    this.#steps.set(name, { name, ...unknown, ...known })
  }
}

/** The instant in a run id. */
const timeInId = (id: string): string =>
  id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z.*$/, '$1-$2-$3T$4:$5:$6.000Z')
