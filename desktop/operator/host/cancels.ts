import type { CancelView } from '#shared/bridge'
import { errorRule, toProblem } from '#shared/errors'

export interface CancelledRun extends Pick<CancelView, 'source' | 'run_id' | 'asked_at'> {
  /** Address of the host that it runs on; null: on this laptop. */
  readonly host: string | null
}
interface Cancel extends CancelledRun {
  doing: Promise<void> | null
  problem: CancelView['problem']
}

export interface Cancels {
  /**
   * Requests a cancel and remembers it until the run has ended. A second call while one is on its way waits for it.
   * @throws what `stop` throws; it is remembered as well
   */
  request(source: CancelView['source'], id: string, stop: () => Promise<void>): Promise<void>
  /**
   * Cancels of runs that have not ended, of this laptop and of the selected host.
   * @param ended whether the run has ended, by what is known now
   */
  view(ended: (cancel: CancelledRun) => boolean): CancelView[]
}

/**
 * What was requested to end, since when, and the result of the request. It outlives the page that requested it, and a
 * host that becomes unreachable or is not selected meanwhile.
 * @param selected address of the selected host; null when none is enrolled
 */
export function rememberCancels(selected: () => string | null): Cancels {
  const all = new Map<string, Cancel>()

  const attempt = async (cancel: Cancel, stop: () => Promise<void>): Promise<void> => {
    try {
      await stop()
      all.delete(cancel.run_id)
    } catch (error) {
      const { errorClass, message } = toProblem(error)
      cancel.problem = {
        error_class: errorClass,
        message,
        next_auto_fix: errorRule(errorClass).next_auto_fix,
      }
      throw error
    } finally {
      cancel.doing = null
    }
  }

  return {
    request: async (source, id, stop) => {
      const known = all.get(id)
      if (known?.doing) return await known.doing
      const cancel: Cancel = {
        source,
        run_id: id,
        host: source === 'host' ? selected() : null,
        asked_at: new Date().toISOString(),
        doing: null,
        problem: null,
      }
      all.set(id, cancel)
      cancel.doing = attempt(cancel, stop)
      await cancel.doing
    },
    view: (ended) => {
      for (const cancel of all.values())
        if (cancel.doing === null && ended(cancel)) all.delete(cancel.run_id)
      const here = selected()
      return [...all.values()]
        .filter(({ host }) => host === null || host === here)
        .map(({ source, run_id, asked_at, problem }) => ({ source, run_id, asked_at, problem }))
    },
  }
}
