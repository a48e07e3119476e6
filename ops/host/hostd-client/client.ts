import { setTimeout as delay } from 'node:timers/promises'
import { z } from 'zod'
import type { ActionId } from '#shared/actions'
import {
  cancelReply,
  dodRunHeader,
  execReply,
  joinableBody,
  runReply,
  runsReply,
  type RunDetail,
} from '#shared/api'
import { Problem } from '#shared/errors'
import type { RunEvent } from '#shared/events'
import { requireSameRun } from '#shared/join'
import type { RunStatus } from '#shared/run'
import { describeIssues } from '#ops/base/files/json-file'
import {
  json,
  localHost,
  mismatch,
  problemOf,
  request,
  type Ask,
  type FollowOptions,
  type HostAddress,
} from './request.ts'
import { followStream } from './stream.ts'

export interface JoinOptions {
  /** The deploy on whose behalf: its DoD is let through maintenance mode. */
  readonly dodRun?: string
  readonly onEvents?: (events: readonly RunEvent[]) => void
  /** Told once it is known which run is followed. */
  readonly onRun?: (runId: string, joined: boolean) => void
  readonly signal?: AbortSignal
}

export interface Started {
  readonly run_id: string
  /** It was running already, with the same action and parameters. */ readonly joined: boolean
}

/** hostd as its callers see it. Every method throws {Problem}: `hostd_unreachable`, `version_mismatch`, or the class hostd answered with. */
export interface HostClient {
  readonly address: HostAddress
  /** Any route, its answer checked. `path` begins with `/`. */
  get<T extends z.ZodType>(path: string, schema: T, ask?: Ask): Promise<z.output<T>>
  /** Starts an action, or joins the same one (`requireSameRun`). @throws {Problem} also `lane_busy` when another one runs */
  exec(
    action: ActionId,
    params?: Record<string, unknown>,
    options?: { dodRun?: string; signal?: AbortSignal },
  ): Promise<Started>
  run(runId: string): Promise<RunDetail>
  runs(query?: Readonly<Record<string, string>>): Promise<z.output<typeof runsReply>>
  /** Follows a run to its end through any number of disconnects and hostd restarts, each event once and in order. */
  followRun(runId: string, options?: FollowOptions): Promise<RunStatus>
  cancel(runId: string): Promise<RunStatus>
  /**
   * The join rule (design §5): follows the active run of the lane to its end and takes its result; only if that failed
   * posts once more.
   */
  startOrJoin(
    action: ActionId,
    params?: Record<string, unknown>,
    options?: JoinOptions,
  ): Promise<{ run: RunDetail; joined: boolean }>
}

export function hostClient(address: HostAddress = localHost()): HostClient {
  const get: HostClient['get'] = async (path, schema, ask) => {
    const answer = await request(address, path, ask)
    if (!answer.ok) throw await problemOf(answer)
    const parsed = schema.safeParse(await json(answer))
    if (!parsed.success)
      throw mismatch(`${path} has an unknown shape (${describeIssues(parsed.error)})`)
    return parsed.data
  }
  const run: HostClient['run'] = async (id) =>
    (await get(`/api/runs?id=${encodeURIComponent(id)}`, runReply)).run
  const exec: HostClient['exec'] = async (action, params = {}, { dodRun, signal } = {}) => {
    const answer = await request(address, '/api/exec', {
      method: 'POST',
      body: { action, params },
      headers: dodRun === undefined ? {} : { [dodRunHeader]: dodRun },
      signal,
    })
    if (!answer.ok && answer.status !== 409) throw await problemOf(answer)
    const parsed = z.union([execReply, joinableBody]).safeParse(await json(answer))
    if (!parsed.success) throw mismatch('/api/exec has an unknown shape')
    if (parsed.data.ok) return { joined: false, run_id: parsed.data.run_id }
    requireSameRun({ action, params }, await run(parsed.data.active_run_id))
    return { joined: true, run_id: parsed.data.active_run_id }
  }
  const followRun: HostClient['followRun'] = async (id, options) =>
    await followStream(address, id, options)

  /** The row is read until hostd is back, should it go away between the end of the stream and this. */
  const toEnd = async (id: string, options: FollowOptions): Promise<RunDetail> => {
    await followRun(id, options)
    for (let tries = 0; ; tries += 1) {
      try {
        return await run(id)
      } catch (error) {
        if (!(error instanceof Problem && error.errorClass === 'hostd_unreachable') || tries >= 20)
          throw error
        await delay(500, undefined, { signal: options.signal })
      }
    }
  }
  return {
    address,
    get,
    exec,
    run,
    followRun,
    runs: async (query = {}) =>
      await get(`/api/runs?${new URLSearchParams(query).toString()}`, runsReply),
    cancel: async (id) =>
      (await get(`/api/runs/${encodeURIComponent(id)}/cancel`, cancelReply, { method: 'POST' }))
        .status,
    startOrJoin: async (action, params = {}, { dodRun, onEvents, onRun, signal } = {}) => {
      const once = async (): Promise<{ run: RunDetail; joined: boolean }> => {
        const started = await exec(action, params, { dodRun, signal })
        onRun?.(started.run_id, started.joined)
        return { run: await toEnd(started.run_id, { onEvents, signal }), joined: started.joined }
      }
      const first = await once()
      // Somebody ended that run on purpose: asking again would start what they just stopped.
      return first.joined && first.run.status !== 'passed' && first.run.status !== 'cancelled'
        ? await once()
        : first
    },
  }
}
