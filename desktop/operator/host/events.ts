import { createParser } from 'eventsource-parser'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem, toProblem } from '#shared/errors'
import { parseRunEvent, type RunEvent } from '#shared/events'
import { askHost, type HostTarget } from './http.ts'

/** Longest silence, in milliseconds: hostd sends a heartbeat each 15 s. */
const silenceMs = 45_000
/** Longest pause between two connections, in milliseconds. */
const longestPauseMs = 10_000
const connectMs = 10_000
/** Longest message, in characters; a log line is far shorter. */
const maxMessage = 4 * 1024 * 1024

/**
 * The live log of a run on the host, from the event after `after` to the end of the run. A broken connection is taken up
 * again at the next number, so nothing is lost and nothing comes twice.
 *
 * @throws {Problem} what hostd refused with; `version_mismatch` when a number is missing. An unreachable host is waited for.
 */
export async function* followHostRun(
  target: () => Promise<HostTarget>,
  id: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<readonly RunEvent[]> {
  let seen = after
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    try {
      for await (const batch of oneConnection(await target(), id, seen, signal)) {
        const fresh = batch.events.filter(({ seq }) => seq > seen)
        for (const { seq } of fresh) {
          if (seq !== seen + 1)
            throw new Problem(
              'version_mismatch',
              `Event ${seen + 1} of run ${id} is missing in the stream of the host.`,
            )
          seen = seq
        }
        if (fresh.length > 0) {
          attempt = 0
          yield fresh
        }
        if (batch.ended) return
      }
    } catch (error) {
      if (signal.aborted) return
      if (toProblem(error).errorClass !== 'hostd_unreachable') throw error
    }
    const pause = Math.min(longestPauseMs, 250 * 2 ** Math.min(attempt, 6))
    await delay(pause / 2 + (Math.random() * pause) / 2, undefined, { ref: false, signal }).catch(
      () => undefined,
    ) // aborted: the loop ends
  }
}

interface Batch {
  events: RunEvent[]
  ended: boolean
}

async function* oneConnection(
  target: HostTarget,
  id: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<Batch> {
  const silent = new AbortController()
  let timer = setTimeout(() => silent.abort(), connectMs)
  let batch: Batch = { events: [], ended: false }
  const parser = createParser({
    maxBufferSize: maxMessage,
    onError: (error) => {
      throw error
    },
    onEvent: ({ event, data }) => {
      if (event === 'end') batch.ended = true
      else if (!batch.ended) batch.events.push(eventOf(data, id))
    },
  })
  const decoder = new TextDecoder()
  try {
    const reply = await askHost(target, {
      path: `/api/runs/${id}/events`,
      stream: { after },
      signal: AbortSignal.any([signal, silent.signal]),
    })
    for await (const chunk of reply.body ?? []) {
      clearTimeout(timer)
      timer = setTimeout(() => silent.abort(), silenceMs)
      parser.feed(decoder.decode(chunk, { stream: true }))
      const full = batch
      batch = { events: [], ended: full.ended }
      yield full
      if (full.ended) return
    }
  } catch (error) {
    if (error instanceof Problem && error.errorClass !== 'cancelled') throw error
    throw new Problem('hostd_unreachable', `The stream of run ${id} broke off.`, { cause: error })
  } finally {
    clearTimeout(timer)
    silent.abort()
  }
}

function eventOf(data: string, id: string): RunEvent {
  try {
    return parseRunEvent(JSON.parse(data))
  } catch (error) {
    throw new Problem(
      'version_mismatch',
      `HQ and hostd speak different versions: an event of run ${id} has an unknown shape.`,
      { cause: error },
    )
  }
}
