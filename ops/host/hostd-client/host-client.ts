/** hostd as programs on the host use it: the shared client, and following a run to its result. */
import { hostdPaths } from '#shared/hostd-paths'
import { setTimeout as delay } from 'node:timers/promises'
import type { ActionId } from '#shared/actions'
import type { RunDetail } from '#shared/api'
import { Problem } from '#shared/errors'
import type { RunEvent } from '#shared/events'
import { HostdClient } from '#shared/hostd-client/client'
import { send } from '#shared/hostd-client/request'
import type { RunStatus } from '#shared/run'
import { addressOf, localHost, type HostAddress } from './local-host.ts'

/** One answer of hostd may take this long, milliseconds. A cancel waits for the whole process tree. */
const answerMs = 60_000
/** hostd answers `/health` at once, also during a restart: its socket keeps the request. Milliseconds. */
const healthMs = 10_000
/** A hostd that does not answer for this long is not restarting, milliseconds. */
const patienceMs = 60_000
/** Attempts to read the row of a run that has ended, and the pause between two, milliseconds. */
const rowAttempts = 20
const rowPauseMs = 500

interface EventOptions {
  readonly onEvents?: (events: readonly RunEvent[]) => void
  readonly signal?: AbortSignal
}

export interface JoinOptions extends EventOptions {
  /** The deploy on whose behalf: its DoD is let through maintenance mode. */
  readonly dodRun?: string
  /** Called once it is known which run is followed. */
  readonly onRun?: (runId: string, joined: boolean) => void
}

export class HostClient extends HostdClient {
  readonly #url: string

  constructor({ url, token }: HostAddress) {
    super(() => addressOf(url, token()), { limitMs: answerMs })
    this.#url = url
  }

  /**
   * Checked before something is started: a hostd that hangs takes every request, and would start it when it wakes up.
   * @throws {Problem} `hostd_unreachable` when `/health` gets no answer, whatever the answer
   */
  async requireAnswering(): Promise<void> {
    const address = addressOf(this.#url, null)
    await (await send(address, { path: hostdPaths.health, limitMs: healthMs })).arrayBuffer()
  }

  /**
   * Follows a run to its end through any number of disconnects and restarts of hostd, each event once and in order.
   * @throws {Problem} `hostd_unreachable` after a minute without an answer; `version_mismatch`; `cancelled`
   */
  async followRun(
    id: string,
    { after = 0, onEvents, signal }: EventOptions & { after?: number } = {},
  ): Promise<RunStatus> {
    const events = this.events(id, { after, patienceMs, ...(signal ? { signal } : {}) })
    for (;;) {
      const { done, value } = await events.next()
      if (!done) onEvents?.(value)
      else if (value !== null) return value
      else throw new Problem('cancelled', 'The run is no longer followed. It goes on.')
    }
  }

  /**
   * Starts an action, or follows the same one that runs already, and takes its result. If a joined run failed, the
   * action is posted once more.
   */
  async startOrJoin(
    action: ActionId,
    params: Readonly<Record<string, unknown>> = {},
    options: JoinOptions = {},
  ): Promise<{ run: RunDetail; joined: boolean }> {
    const once = async (): Promise<{ run: RunDetail; joined: boolean }> => {
      const { run_id, joined } = await this.exec(action, params, options)
      options.onRun?.(run_id, joined)
      await this.followRun(run_id, options)
      return { run: await this.#endedRun(run_id, options.signal), joined }
    }
    const first = await once()
    // Somebody cancelled that run on purpose: one more would start what they just stopped.
    const { status } = first.run
    return first.joined && status !== 'passed' && status !== 'cancelled' ? await once() : first
  }

  /** hostd may be restarted between the end of the stream and this: the row is read until hostd is back. */
  async #endedRun(id: string, signal: AbortSignal | undefined): Promise<RunDetail> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.run(id)
      } catch (error) {
        const unreachable = error instanceof Problem && error.errorClass === 'hostd_unreachable'
        if (!unreachable || attempt > rowAttempts) throw error
        await delay(rowPauseMs, undefined, signal ? { signal } : {})
      }
    }
  }
}

/** @param address default: hostd of this machine */
export const hostClient = (address: HostAddress = localHost()): HostClient =>
  new HostClient(address)
