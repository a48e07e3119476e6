/** Follows the deploys of the host, for the step they are in and for how long passed ones took. */
import { actions, type ActionId } from '#shared/actions'
import type { StatusReply } from '#shared/api'
import type { Overview } from '#shared/bridge'
import { toProblem } from '#shared/errors'
import { freshProgress, trackProgress, type Progress } from '#shared/progress'
import { resultDocument, type ResultDocument } from '#shared/result'
import { passedRun, type PassedRun } from '#shared/typical-durations'
import type { OneHost } from './client.ts'

export interface RunEnd {
  readonly source: 'host' | 'ship'
  readonly title: string
  readonly result: ResultDocument
}

interface Options {
  readonly onEnded: (end: RunEnd) => void
  readonly log: (text: string) => void
}

type DeployHost = Pick<OneHost, 'client' | 'cameBack'>

export interface Deploys {
  /** Called with each status of a host. @param host what runs there is followed there, whichever is selected meanwhile */
  notice(status: StatusReply, host: DeployHost): void
  /**
   * The deploy that runs by this status: its step, `starting` before the first, and its commit; null when none runs.
   */
  current(status: StatusReply | null): Overview['deploy']
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
  /** Of each deploy that is followed, by its id. */
  readonly #running = new Map<string, Progress>()
  #reading = false

  constructor(options: Options) {
    this.#options = options
  }

  notice(status: StatusReply, host: DeployHost): void {
    const running = status.active_runs.find((run) => followed.includes(run.action))
    if (running && !this.#seen.has(running.run_id)) {
      this.#seen.add(running.run_id)
      void this.#follow(host, running.run_id, running.action)
    }
    void this.#readPassed(status, host)
  }

  current(status: StatusReply | null): Overview['deploy'] {
    for (const { run_id } of status?.active_runs ?? []) {
      const progress = this.#running.get(run_id)
      if (progress !== undefined)
        return { run_id, step: progress.step ?? 'starting', commit: progress.commit }
    }
    return null
  }

  passed(): PassedRun[] {
    return [...this.#passed.values()]
  }

  close(): void {
    this.#stop.abort()
  }

  async #follow(host: DeployHost, id: string, what: ActionId): Promise<void> {
    const { onEnded, log } = this.#options
    const progress = freshProgress()
    if (what === action) this.#running.set(id, progress)
    try {
      const { signal } = this.#stop
      const result = await trackProgress(
        host.client.events(id, { signal, cameBack: () => host.cameBack() }),
        progress,
      )
      if (result) onEnded({ source: 'host', title: actions[what].title, result })
    } catch (error) {
      const problem = toProblem(error)
      log(`Following deploy ${id} ended: ${problem.errorClass}: ${problem.message}`)
    } finally {
      this.#running.delete(id)
    }
  }

  async #readPassed(status: StatusReply, host: DeployHost): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    try {
      const ids = status.recent_deploys
        .filter((run) => run.action === action && run.status === 'passed')
        .map(({ run_id }) => run_id)
        .slice(0, averaged)
      for (const id of ids) await this.#readOne(id, host)
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

  async #readOne(id: string, { client }: DeployHost): Promise<void> {
    if (this.#passed.has(id)) return
    const run = await client.run(id, { signal: this.#stop.signal })
    const result = resultDocument.safeParse(run.result)
    const sample = result.success ? passedRun(action, result.data) : null
    if (sample) this.#passed.set(id, sample)
  }
}
