import { hostdPaths } from '#shared/hostd-paths'
import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { cancelReply, runReply, runsQuery, runsReply, type RunDetail } from '#shared/api'
import { Problem, toProblem } from '#shared/errors'
import { runId } from '#shared/ids'
import { isEnded } from '#shared/run'
import { readRunResult } from '#ops/host/runner/run-files'
import { requireActor } from '../http/caller.ts'
import type { Deps } from '../http/deps.ts'
import { mount } from '../http/mount.ts'

const defaultLimit = 50

export function runRoutes(app: FastifyInstance, deps: Deps): void {
  const resultOf = (id: string): RunDetail['result'] => {
    try {
      return readRunResult(deps.paths, id)
    } catch (error) {
      deps.log('result_unreadable', { run_id: id, why: toProblem(error).message })
      return null // the row says `failed` for it
    }
  }
  mount(app, {
    method: 'GET',
    url: hostdPaths.runs,
    summary: 'Runs, newest first, or with `id` one run and its result',
    query: runsQuery,
    replies: { 200: z.union([runReply, runsReply]) },
    handle: ({ query: { id, cursor, limit = defaultLimit, action, status } }) => {
      if (id !== undefined) {
        if (cursor !== undefined || action !== undefined || status !== undefined)
          throw new Problem(
            'invalid_request',
            'The query is refused: id goes with no other field. Nothing was done.',
          )
        const run = deps.runs.get(id)
        return {
          ok: true as const,
          run: { ...run, result: isEnded(run.status) ? resultOf(id) : null },
        }
      }
      const rows = deps.runs.list({ limit, cursor, action, status })
      const page = rows.slice(0, limit)
      return {
        ok: true as const,
        runs: page,
        next_cursor: rows.length > limit ? (page.at(-1)?.run_id ?? null) : null,
      }
    },
  })
  mount(app, {
    method: 'POST',
    url: hostdPaths.runCancel,
    summary: 'Ends the whole process tree of a run',
    params: z.strictObject({ id: runId }),
    replies: { 200: cancelReply },
    handle: async ({ params: { id }, request }) => {
      const run = await deps.runs.cancel(id, await requireActor(request.raw, deps.paths))
      return { ok: true as const, run_id: id, status: run.status }
    },
  })
}
