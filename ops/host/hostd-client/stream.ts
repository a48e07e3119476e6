import { setTimeout as delay } from 'node:timers/promises'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { z } from 'zod'
import { Problem } from '#shared/errors'
import { parseRunEvent, type RunEvent } from '#shared/events'
import { runStatus, type RunStatus } from '#shared/run'
import { mismatch, problemOf, request, type FollowOptions, type HostAddress } from './request.ts'

/** Three heartbeats without a word: the connection is dead although nobody said so. Milliseconds. */
const silenceMs = 45_000
/** A hostd that does not answer at all for this long is not restarting, milliseconds. */
const patienceMs = 60_000
/** Connections in a row that brought nothing new and no end: the stream itself is broken. */
const maxBarren = 30

const endMessage = z.looseObject({ status: runStatus })

/**
 * Follows the events of a run to its end. After a disconnect it goes on behind the last event it has given.
 * @returns the status the run ended with
 * @throws {Problem} `hostd_unreachable` after a minute without an answer; `version_mismatch` for a gap or a repeat; `cancelled`
 */
export async function followStream(
  address: HostAddress,
  id: string,
  { after = 0, onEvents, signal }: FollowOptions = {},
): Promise<RunStatus> {
  let last = after
  let awayUntil = Date.now() + patienceMs
  for (let barren = 0; ;) {
    const before = last
    try {
      const status = await readOnce(
        address,
        id,
        last,
        (events) => {
          last = events.at(-1)?.seq ?? last
          onEvents?.(events)
        },
        signal,
        () => {
          awayUntil = Date.now() + patienceMs
        },
      )
      if (status !== null) return status
    } catch (error) {
      if (
        !(error instanceof Problem && error.errorClass === 'hostd_unreachable') ||
        Date.now() >= awayUntil
      )
        throw error
    }
    barren = last > before ? 0 : barren + 1
    if (barren >= maxBarren && Date.now() >= awayUntil - patienceMs / 2)
      throw new Problem(
        'hostd_unreachable',
        `The log of ${id} breaks off behind event ${last}, again and again.`,
      )
    try {
      await delay(last > before ? 20 : 250, undefined, { signal })
    } catch (error) {
      throw new Problem('cancelled', 'The run is no longer followed. It goes on.', { cause: error })
    }
  }
}

/** One connection. @returns the status, or null when it broke off before the end */
async function readOnce(
  address: HostAddress,
  id: string,
  after: number,
  give: (events: RunEvent[]) => void,
  signal: AbortSignal | undefined,
  connected: () => void,
): Promise<RunStatus | null> {
  const quiet = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const alive = (): void => {
    clearTimeout(timer)
    timer = setTimeout(() => quiet.abort(), silenceMs)
  }
  alive()
  try {
    const own = signal === undefined ? quiet.signal : AbortSignal.any([signal, quiet.signal])
    const answer = await request(address, `/api/runs/${encodeURIComponent(id)}/events`, {
      headers: { accept: 'text/event-stream', 'last-event-id': String(after) },
      signal: own,
      limitMs: null,
    }).catch((error: unknown) => {
      throw quiet.signal.aborted
        ? new Problem('hostd_unreachable', 'hostd does not answer.', { cause: error })
        : error
    })
    if (!answer.ok) throw await problemOf(answer)
    connected()
    let last = after
    let batch: RunEvent[] = []
    let status: RunStatus | null = null
    const parser = createParser({
      onEvent: (message) => {
        if (message.event === 'end') {
          status = endMessage.parse(JSON.parse(message.data)).status
          return
        }
        const event = parseMessage(message)
        if (event.seq !== last + 1) throw mismatch(`event ${event.seq} followed event ${last}`)
        last = event.seq
        batch.push(event)
      },
    })
    const decoder = new TextDecoder()
    const reader = answer.body?.getReader()
    for (;;) {
      const chunk = await nextChunk(reader, signal)
      if (chunk === null) return status
      alive()
      parser.feed(decoder.decode(chunk, { stream: true }))
      if (batch.length > 0) {
        const ready = batch
        batch = []
        give(ready)
      }
    }
  } finally {
    clearTimeout(timer)
    quiet.abort() // lets go of a connection whose rest is not wanted
  }
}

/** @returns null at the end, also when the connection broke: what came whole has been given */
async function nextChunk(
  reader: ReadableStreamDefaultReader<Uint8Array> | undefined,
  signal: AbortSignal | undefined,
): Promise<Uint8Array | null> {
  try {
    return (await reader?.read())?.value ?? null
  } catch (error) {
    if (signal?.aborted)
      throw new Problem('cancelled', 'The run is no longer followed. It goes on.', { cause: error })
    return null
  }
}

function parseMessage(message: EventSourceMessage): RunEvent {
  try {
    return parseRunEvent(JSON.parse(message.data))
  } catch (error) {
    throw mismatch(
      `event ${message.id ?? '?'} has an unknown shape (${error instanceof Error ? error.message : String(error)})`,
    )
  }
}
