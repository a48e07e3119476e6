import { setTimeout as delay } from 'node:timers/promises'
import type { z } from 'zod'
import {
  eventsRequest,
  isProcedure,
  procedures,
  type BridgeProblem,
  type BridgeReply,
  type EventsRequest,
  type Input,
  type ProcedureName,
} from '#shared/bridge'
import { brokenTextIn } from '#shared/broken-text'
import { errorRule, Problem, toProblem } from '#shared/errors'
import type { RunEvent } from '#shared/events'
import { describeIssues } from '#ops/base/files/json-file'
import { doesActOnHost } from '#shared/shown-host'
import { redact } from '#ops/base/redact/redaction'
import type { HostPoller } from './host/poller.ts'
import { takeEnrolment } from './settings/enrolment.ts'
import { rememberingKeystore } from './settings/keystore.ts'
import { Workspace } from './workspace.ts'
import { handlersOf, type Handlers } from './handlers.ts'
import type { OperatorOptions } from './options.ts'

/** Everything the window can request, over any transport (docs/ARCHITECTURE.md). */
export interface Operator {
  /**
   * Never throws: what goes wrong is in the reply.
   * @param shown address of the host that the page shows; null: none. What acts on a host goes to this one, or is
   *   refused
   */
  call(name: string, input: unknown, shown: string | null): Promise<BridgeReply>
  /**
   * Gives batches of numbered events, then calls `onEnd` once. `onEvents` may return a promise to slow the stream down.
   * @returns a function that stops the stream
   */
  events(
    request: unknown,
    onEvents: (events: readonly RunEvent[]) => void | Promise<void>,
    onEnd: (problem: BridgeProblem | null) => void,
  ): () => void
  close(): Promise<void>
}

/** @throws {Problem} `invalid_request`, naming each bad field */
function checked<T>(
  parse:
    { success: true; data: T } | { success: false; error: Parameters<typeof describeIssues>[0] },
): T {
  if (!parse.success)
    throw new Problem('invalid_request', describeIssues(parse.error), { cause: parse.error })
  return parse.data
}

/** @throws {Problem} `invalid_request` for text that no file name or address can hold */
function refuseBrokenText(input: unknown): void {
  const where = brokenTextIn(input)
  if (where !== null)
    throw new Problem(
      'invalid_request',
      `${where}: the text holds half of a character. Nothing was done.`,
    )
}

/** A Problem crosses the bridge as it is. Of a bug only the fact crosses: its details stay in the log. */
function bridgeProblem(thrown: unknown, log: (text: string) => void): BridgeProblem {
  const { errorClass, message, cause } = toProblem(thrown)
  const { next_auto_fix } = errorRule(errorClass)
  if (errorClass !== 'internal_error')
    return { error_class: errorClass, message: redact.text(message), next_auto_fix }
  const inner = thrown instanceof Problem ? (cause ?? thrown) : thrown
  log(inner instanceof Error ? (inner.stack ?? inner.message) : String(inner))
  return {
    error_class: errorClass,
    message: 'HQ has a defect; its log on this machine says where.',
    next_auto_fix,
  }
}

/** @throws {Problem} `unknown_action` */
function mustBeProcedure(name: string): asserts name is ProcedureName {
  if (!isProcedure(name))
    throw new Problem(
      'unknown_action',
      `HQ has no procedure ${JSON.stringify(name.slice(0, 100))}.`,
    )
}

export function createOperator(given: OperatorOptions): Operator {
  const options: OperatorOptions = { ...given, keystore: rememberingKeystore(given.keystore) }
  const workspace = new Workspace(options)
  const handlers: Handlers = handlersOf(workspace, options)
  const streams = new Set<AbortController>()
  // Every call waits for it, so that the first answer already knows the host.
  const enrol = async (host: Input<'hosts.add'>): Promise<void> => {
    await handlers['hosts.add'](host)
    await handlers['hosts.select']({ url: host.url })
  }
  const enrolled = takeEnrolment(options.home, enrol).catch((error: unknown) =>
    options.log(`enrolment.json was not used: ${toProblem(error).message}`),
  )

  const problemOf = (thrown: unknown): BridgeProblem => bridgeProblem(thrown, options.log)

  const follow = (
    request: EventsRequest,
    signal: AbortSignal,
  ): AsyncIterable<readonly RunEvent[]> =>
    request.source === 'host'
      ? workspace.followRun(request.run_id, request.after, signal)
      : workspace.ships.follow({
          repository: workspace.mustRepository(),
          id: request.run_id,
          after: request.after,
          signal,
        })

  return {
    call: async (name, input, shown) => {
      try {
        await enrolled
        mustBeProcedure(name)
        const procedure: { readonly input: z.ZodType; readonly output: z.ZodType } =
          procedures[name]
        const handle = handlers[name] as (
          input: unknown,
          host: HostPoller | null,
        ) => Promise<unknown>
        refuseBrokenText(input)
        const given = checked(procedure.input.safeParse(input))
        const host = doesActOnHost(name) ? workspace.connection.shown(shown) : null
        const value = await handle(given, host)
        return { ok: true, value: procedure.output.parse(value) }
      } catch (error) {
        return { ok: false, problem: problemOf(error) }
      }
    },
    events: (request, onEvents, onEnd) => {
      const stop = new AbortController()
      streams.add(stop)
      const run = async (): Promise<void> => {
        try {
          for await (const events of follow(
            checked(eventsRequest.safeParse(request)),
            stop.signal,
          )) {
            if (stop.signal.aborted) return
            await onEvents(events)
          }
          if (!stop.signal.aborted) onEnd(null)
        } catch (error) {
          if (!stop.signal.aborted) onEnd(problemOf(error))
        } finally {
          streams.delete(stop)
        }
      }
      void run()
      return () => stop.abort()
    },
    close: async () => {
      for (const stream of streams) stream.abort()
      await workspace.close()
      // A ship goes on without HQ; only the streams that showed it end here.
      for (let turn = 0; streams.size > 0 && turn < 100; turn += 1) await delay(10)
    },
  }
}
