import { actions, type ActionId } from '#shared/actions'
import { runReply, type StatusReply } from '#shared/api'
import { toProblem } from '#shared/errors'
import { resultDocument, type ResultDocument } from '#shared/result'
import { followHostRun } from './events.ts'
import { askHostJson, type HostTarget } from './http.ts'
import { trackProgress, type Progress } from '../base/progress.ts'
import { passedRun, type PassedRun } from '../base/typical-durations.ts'

export interface RunEnd {
  readonly source: 'host' | 'ship'
  readonly title: string
  readonly result: ResultDocument
}

interface Options {
  readonly target: () => Promise<HostTarget>
  readonly onEnded: (end: RunEnd) => void
  readonly log: (text: string) => void
}

export interface Deploys {
  /** Called with each status of the host. */
  notice(status: StatusReply): void
  /** Step a running deploy is in: null when none runs; `starting` before its first step. */
  step(): string | null
  passed(): PassedRun[]
  close(): void
}

const action = 'deploy_and_verify'
/** Both take the steps of a deploy; only a deploy of the newest change says where that change is. */
const followed: readonly ActionId[] = [action, 'rollback']
/** Newest passed deploys whose steps are averaged. */
const averaged = 5

/** Follows the deploy that runs on the host, and remembers how long passed ones took. */
export function watchDeploys({ target, onEnded, log }: Options): Deploys {
  const stop = new AbortController()
  const seen = new Set<string>()
  const passed = new Map<string, PassedRun>()
  let current: { id: string; progress: Progress } | null = null
  let reading = false

  const watch = async (id: string, what: ActionId): Promise<void> => {
    const progress: Progress = { step: null, finished: null }
    if (what === action) current = { id, progress }
    try {
      const result = await trackProgress(followHostRun(target, id, 0, stop.signal), progress)
      if (result) onEnded({ source: 'host', title: actions[what].title, result })
    } catch (error) {
      const problem = toProblem(error)
      log(`Following deploy ${id} ended: ${problem.errorClass}: ${problem.message}`)
    } finally {
      if (current?.id === id) current = null
    }
  }

  const readPassed = async (status: StatusReply): Promise<void> => {
    if (reading) return
    reading = true
    try {
      const ids = status.recent_deploys
        .filter((run) => run.action === action && run.status === 'passed')
        .map(({ run_id }) => run_id)
        .slice(0, averaged)
      for (const id of ids) {
        if (passed.has(id)) continue
        const { run } = await askHostJson(
          await target(),
          { path: '/api/runs', query: { id }, signal: stop.signal },
          runReply,
        )
        const result = resultDocument.safeParse(run.result)
        const sample = result.success ? passedRun(action, result.data) : null
        if (sample) passed.set(id, sample)
      }
      for (const id of passed.keys()) if (!ids.includes(id)) passed.delete(id)
    } catch (error) {
      const problem = toProblem(error)
      if (problem.errorClass === 'internal_error')
        log(`Reading past deploys failed: ${problem.message}`) // otherwise the host is away; the next status asks again
    } finally {
      reading = false
    }
  }

  return {
    notice: (status) => {
      const running = status.active_runs.find((run) => followed.includes(run.action))
      if (running && !seen.has(running.run_id)) {
        seen.add(running.run_id)
        void watch(running.run_id, running.action)
      }
      void readPassed(status)
    },
    step: () => (current === null ? null : (current.progress.step ?? 'starting')),
    passed: () => [...passed.values()],
    close: () => stop.abort(),
  }
}
