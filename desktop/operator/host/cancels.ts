import type { CancelView } from '#shared/bridge'
import { errorRule, toProblem } from '#shared/errors'

type Named = Pick<CancelView, 'source' | 'run_id' | 'asked_at'>
interface Cancel extends Named {
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
   * Cancels of runs that have not ended.
   * @param ended whether the run has ended, by what is known now
   */
  view(ended: (cancel: Named) => boolean): CancelView[]
}

/**
 * What was requested to end, since when, and the result of the request. It outlives the page that requested it, and a
 * host that becomes unreachable meanwhile.
 */
export function rememberCancels(): Cancels {
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
      return [...all.values()].map(({ source, run_id, asked_at, problem }) => ({
        source,
        run_id,
        asked_at,
        problem,
      }))
    },
  }
}
