import {
  artifactsReply,
  cancelReply,
  execReply,
  joinableBody,
  proofBundlesReply,
  runReply,
  runsReply,
} from '#shared/api'
import {
  procedures,
  type BridgeReply,
  type BridgeTransport,
  type Input,
  type Output,
  type ProcedureName,
} from '#shared/bridge'
import { requireSameRun } from '#shared/join'
import { problemOf, toBridgeError } from './bridge-error.ts'
import type { ConsoleApi } from './console-api.ts'
import { consoleOverview } from './console-overview.ts'
import { readEventStream } from './event-stream.ts'
import { stepFollower } from './step-follower.ts'

type Handlers = { [P in ProcedureName]?: (input: Input<P>) => Promise<Output<P>> }

const maxText = 2_000_000
const addressOf = (path: string): string =>
  [
    '/api/artifacts',
    ...path
      .split('/')
      .filter((part) => part !== '')
      .map(encodeURIComponent),
  ].join('/')
const execAnswer = execReply.or(joinableBody)

/** The bridge as far as a host alone can answer it. What needs the laptop says so. */
export function consoleTransport(api: ConsoleApi): BridgeTransport {
  const events = consoleEvents(api)
  const steps = stepFollower(events)
  const overview = consoleOverview(api, steps)
  const handlers: Handlers = {
    'app.info': async () => ({
      mode: 'console',
      version: (await overview()).status?.host.version ?? '',
      platform: 'browser',
      operator: false,
      demo: false,
    }),
    'overview.get': overview,
    'host.exec': async ({ action, params }) => {
      const reply = await api.json(execAnswer, '/api/exec', {
        method: 'POST',
        body: { action, ...(params ? { params } : {}) },
        accept: [409],
      })
      if (reply.ok) return { run_id: reply.run_id, joined: false }
      const { run } = await api.json(runReply, `/api/runs?id=${reply.active_run_id}`)
      requireSameRun({ action, params }, run)
      return { run_id: run.run_id, joined: true }
    },
    'host.runs': async ({ cursor, limit, action, status }) => {
      const query = new URLSearchParams()
      for (const [key, value] of Object.entries({ cursor, action, status }))
        if (value !== undefined) query.set(key, value)
      if (typeof limit === 'number') query.set('limit', String(limit))
      return await api.json(runsReply, `/api/runs?${query.toString()}`)
    },
    'host.run': async ({ run_id }) => await api.json(runReply, `/api/runs?id=${run_id}`),
    'host.cancel': async ({ run_id }) => {
      await api.json(cancelReply, `/api/runs/${run_id}/cancel`, { method: 'POST', body: {} })
      return { ok: true }
    },
    'proofs.list': async ({ cursor }) => {
      const { bundles, next_cursor } = await api.json(
        proofBundlesReply,
        `/api/proof/bundles${cursor === undefined ? '' : `?cursor=${cursor}`}`,
      )
      return {
        // The host cannot be the witness of itself.
        witnesses: [],
        next_cursor,
        host: { name: location.host, as_of: new Date().toISOString(), detail: null },
        bundles: bundles.flatMap(
          ({
            kind,
            run_id,
            state,
            problems,
            files,
            pruned,
            counter,
            key_id,
            manifest_sha256,
            created_at,
          }) =>
            kind === null
              ? []
              : [
                  {
                    kind,
                    run_id,
                    running: false,
                    laptop: null,
                    host: {
                      state,
                      problems,
                      files,
                      pruned,
                      counter,
                      key_id,
                      manifest_sha256,
                      created_at,
                    },
                    witnessed: null,
                  },
                ],
        ),
      }
    },
    'host.artifacts': async ({ path }) => await api.json(artifactsReply, addressOf(path)),
    'host.artifact': async ({ path }) => {
      const text = await (await api.raw(addressOf(path))).text()
      return { text: text.slice(0, maxText), truncated: text.length > maxText }
    },
  }
  return {
    async call(name, input): Promise<BridgeReply> {
      const handler = handlers[name] as ((input: unknown) => Promise<unknown>) | undefined
      if (!handler)
        return {
          ok: false,
          problem: problemOf(
            'unknown_action',
            'This needs HQ on the laptop; the console only sees the host.',
          ),
        }
      try {
        return { ok: true, value: await handler(procedures[name].input.parse(input)) }
      } catch (error) {
        const { errorClass, message, nextAutoFix } = toBridgeError(error)
        return {
          ok: false,
          problem: { error_class: errorClass, message, next_auto_fix: nextAutoFix },
        }
      }
    },
    events,
  }
}

/** hostd's own stream: one event per message, resumed by the number of the last one seen. */
function consoleEvents(api: ConsoleApi): BridgeTransport['events'] {
  return (request, onEvents, onEnd) => {
    const abort = new AbortController()
    let ended = false
    const end = (problem: Parameters<typeof onEnd>[0]): void => {
      if (ended || abort.signal.aborted) return
      ended = true
      onEnd(problem)
    }
    const read = async (): Promise<void> => {
      const answer = await api.raw(`/api/runs/${request.run_id}/events`, {
        signal: abort.signal,
        headers: request.after > 0 ? { 'last-event-id': String(request.after) } : {},
      })
      if (!answer.body) return end(problemOf('hostd_unreachable', 'The host sent no stream.'))
      let over = false
      await readEventStream(answer.body, (messages) => {
        const batch = messages.flatMap(({ event, data }) =>
          event === 'end' ? [] : [JSON.parse(data) as unknown],
        )
        if (batch.length > 0) onEvents(batch)
        over ||= messages.some(({ event }) => event === 'end')
        if (over) end(null)
      })
      end(
        problemOf('hostd_unreachable', 'The connection was cut; the log goes on where it stopped.'),
      )
    }
    read().catch((error: unknown) => {
      const { errorClass, message } = toBridgeError(error)
      end(
        errorClass === 'internal_error'
          ? problemOf(
              'hostd_unreachable',
              'The connection was cut; the log goes on where it stopped.',
            )
          : problemOf(errorClass, message),
      )
    })
    return () => abort.abort()
  }
}
