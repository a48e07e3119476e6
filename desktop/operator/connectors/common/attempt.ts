import { randomUUID } from 'node:crypto'
import type { ConnectFlow, ConnectStep } from '#shared/connect-flow'
import type { ConnectorMode, ConnectorName } from '#shared/connectors/list'
import { connectSteps, type ConnectStepId, type ConnectWay } from '#shared/connectors/ways'
import { errorRule, toProblem } from '#shared/errors'
import { redact } from '#ops/base/redact/redaction'

interface About {
  readonly connector: ConnectorName
  readonly mode: ConnectorMode
  readonly way: ConnectWay
}

/** What a person must do, as the page shows it. */
export interface Request {
  readonly waitingFor: string
  /** Milliseconds that the person has; null: no limit. */
  readonly limitMs: number | null
  readonly openUrl?: string
  readonly userCode?: string
}

/** One attempt to connect a connector. Steps run in the order of the way; a failed one ends the attempt. */
export class Attempt {
  readonly #view: ConnectFlow
  readonly #cancel = new AbortController()
  /** A proof on the host was requested: until its end is known, it may have put the new secret in use. */
  #mayHaveChanged = false
  /** Brings a window of the attempt to the front; null: it has none. */
  #showWindow: (() => Promise<void>) | null = null

  constructor({ connector, mode, way }: About) {
    this.#view = {
      id: randomUUID(),
      connector,
      mode,
      started_at: now(),
      steps: way.steps.map((id) => ({
        id,
        title: connectSteps[id],
        state: 'wait',
        detail: null,
        started_at: null,
        ended_at: null,
      })),
      waiting_for: null,
      deadline: null,
      window: false,
      open_url: null,
      user_code: null,
      run_id: null,
      end: null,
    }
  }

  /** Fires when the person cancels, or HQ closes. */
  get signal(): AbortSignal {
    return this.#cancel.signal
  }

  get ended(): boolean {
    return this.#view.end !== null
  }

  view(): ConnectFlow {
    return structuredClone({ ...this.#view, window: this.#showWindow !== null })
  }

  cancel(): void {
    this.#cancel.abort()
  }

  /**
   * Runs one step.
   * @param work returns what was found, in a few words, or null
   * @returns what `work` returned beside it
   */
  async step<T>(
    id: ConnectStepId,
    work: () => Promise<{ readonly detail: string | null; readonly value: T }>,
  ): Promise<T> {
    this.signal.throwIfAborted()
    const step = this.#step(id)
    Object.assign(step, { state: 'running', started_at: now() })
    try {
      const { detail, value } = await work()
      Object.assign(step, {
        state: 'pass',
        detail: detail === null ? null : redact.text(detail),
        ended_at: now(),
      })
      return value
    } catch (error) {
      Object.assign(step, { state: 'fail', detail: null, ended_at: now() })
      throw error
    } finally {
      this.#release()
    }
  }

  /** How far the step that runs is, in a few words; its result replaces it. */
  say(detail: string): void {
    const running = this.#view.steps.find(({ state }) => state === 'running' || state === 'you')
    if (running) running.detail = redact.text(detail)
  }

  /** The step that runs waits for the person now. Ends with the step, or with the next call. */
  ask({ waitingFor, limitMs, openUrl, userCode }: Request): void {
    const running = this.#view.steps.find(({ state }) => state === 'running' || state === 'you')
    if (running) running.state = 'you'
    Object.assign(this.#view, {
      waiting_for: redact.text(waitingFor),
      deadline: limitMs === null ? null : new Date(Date.now() + limitMs).toISOString(),
      open_url: openUrl ?? null,
      user_code: userCode ?? null,
    })
  }

  /** The person is not waited for any more; the step goes on. */
  goOn(): void {
    const waiting = this.#view.steps.find(({ state }) => state === 'you')
    if (waiting) waiting.state = 'running'
    this.#release()
  }

  /** @param show brings the window to the front; null: the window is gone */
  hasWindow(show: (() => Promise<void>) | null): void {
    this.#showWindow = show
  }

  async showWindow(): Promise<boolean> {
    if (this.#showWindow === null) return false
    await this.#showWindow()
    return true
  }

  mayHaveChanged(maybe: boolean): void {
    this.#mayHaveChanged = maybe
  }

  provedBy(runId: string): void {
    this.#view.run_id = runId
  }

  succeed(message: string): void {
    this.#end({ state: 'ready', message, error_class: null, next_auto_fix: null })
  }

  /** @param thrown what ended the attempt */
  fail(thrown: unknown): void {
    const { errorClass, message } = toProblem(thrown)
    // A host that did not say how its run ended may use the new secret.
    const known = !this.#mayHaveChanged || errorClass !== 'hostd_unreachable'
    const cancelled = (this.signal.aborted && known) || errorClass === 'cancelled'
    this.#end(
      cancelled
        ? {
            state: 'cancelled',
            message: 'Cancelled. The secret on the host is unchanged.',
            error_class: null,
            next_auto_fix: null,
          }
        : {
            state: 'failed',
            message: redact.text(message),
            error_class: errorClass,
            next_auto_fix: errorRule(errorClass).next_auto_fix,
          },
    )
  }

  #end(end: Omit<NonNullable<ConnectFlow['end']>, 'at'>): void {
    this.#view.end ??= { ...end, at: now() }
    this.#release()
    this.#showWindow = null
  }

  #release(): void {
    Object.assign(this.#view, {
      waiting_for: null,
      deadline: null,
      open_url: null,
      user_code: null,
    })
  }

  #step(id: ConnectStepId): ConnectStep {
    const step = this.#view.steps.find((each) => each.id === id)
    if (step === undefined) throw new TypeError(`the way of this attempt has no step ${id}`)
    return step
  }
}

const now = (): string => new Date().toISOString()
