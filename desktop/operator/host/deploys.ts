/** Follows the deploys of the host, for the step they are in and for how long passed ones took. */
import { actions, type ActionId } from '#shared/actions'
import type { StatusReply } from '#shared/api'
import type { Overview } from '#shared/bridge'
import { toProblem } from '#shared/errors'
import type { HostdClient } from '#shared/hostd-client/client'
import { freshProgress, trackProgress, type Progress } from '#shared/progress'
import { resultDocument, type ResultDocument } from '#shared/result'
import { passedRun, type PassedRun } from '#shared/typical-durations'

export interface RunEnd {
  readonly source: 'host' | 'ship'
  readonly title: string
  readonly result: ResultDocument
}

interface Options {
  readonly client: HostdClient
  /** Fires when the host answers again after it was away. */
  readonly cameBack: () => AbortSignal
  readonly onEnded: (end: RunEnd) => void
  readonly log: (text: string) => void
}

export interface Deploys {
  /** Called with each status of the host. */
  notice(status: StatusReply): void
  /** The running deploy: its step, `starting` before the first, and its commit; null when none runs. */
  current(): Overview['deploy']
  passed(): PassedRun[]
  close(): void
}

const action = 'deploy_and_verify'
/** Both take the steps of a deploy; only a deploy of the newest change says where that change is. */
const followed: readonly ActionId[] = [action, 'rollback']
/** Newest passed deploys whose steps are averaged. */
const averaged = 5

export const watchDeploys = (options: Options): Deploys => new DeployWatch(options)

class DeployWatch implements Deploys {
  readonly #options: Options
  readonly #stop = new AbortController()
  readonly #seen = new Set<string>()
  readonly #passed = new Map<string, PassedRun>()
  #current: { id: string; progress: Progress } | null = null
  #reading = false

  constructor(options: Options) {
    this.#options = options
  }

  notice(status: StatusReply): void {
    const running = status.active_runs.find((run) => followed.includes(run.action))
    if (running && !this.#seen.has(running.run_id)) {
      this.#seen.add(running.run_id)
      void this.#follow(running.run_id, running.action)
    }
    void this.#readPassed(status)
  }

  current(): Overview['deploy'] {
    if (this.#current === null) return null
    const { id, progress } = this.#current
    return { run_id: id, step: progress.step ?? 'starting', commit: progress.commit }
  }

  passed(): PassedRun[] {
    return [...this.#passed.values()]
  }

  close(): void {
    this.#stop.abort()
  }

  async #follow(id: string, what: ActionId): Promise<void> {
    const { client, cameBack, onEnded, log } = this.#options
    const progress = freshProgress()
    if (what === action) this.#current = { id, progress }
    try {
      const { signal } = this.#stop
      const result = await trackProgress(client.events(id, { signal, cameBack }), progress)
      if (result) onEnded({ source: 'host', title: actions[what].title, result })
    } catch (error) {
      const problem = toProblem(error)
      log(`Following deploy ${id} ended: ${problem.errorClass}: ${problem.message}`)
    } finally {
      if (this.#current?.id === id) this.#current = null
    }
  }

  async #readPassed(status: StatusReply): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    try {
      const ids = status.recent_deploys
        .filter((run) => run.action === action && run.status === 'passed')
        .map(({ run_id }) => run_id)
        .slice(0, averaged)
      for (const id of ids) await this.#readOne(id)
      for (const id of this.#passed.keys()) if (!ids.includes(id)) this.#passed.delete(id)
    } catch (error) {
      const problem = toProblem(error)
      // Otherwise the host is unreachable, and the next status reads again.
      if (problem.errorClass === 'internal_error')
        this.#options.log(`Reading past deploys failed: ${problem.message}`)
    } finally {
      this.#reading = false
    }
  }

  async #readOne(id: string): Promise<void> {
    if (this.#passed.has(id)) return
    const run = await this.#options.client.run(id, { signal: this.#stop.signal })
    const result = resultDocument.safeParse(run.result)
    const sample = result.success ? passedRun(action, result.data) : null
    if (sample) this.#passed.set(id, sample)
  }
}
