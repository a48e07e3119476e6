import { Batch } from '#ops/base/files/batch'
import { writeAll } from '#ops/base/files/write-all'
import type { EventBody } from '#shared/events'
import { envValue } from '#ops/base/env'
import { printEvent } from './report.ts'

/** A line that a program printed. They come by thousands; what HQ says itself is little, and is kept at once. */
export const ofProgram = (event: EventBody): event is EventBody & { type: 'log' } =>
  event.type === 'log' && event.stream !== 'hq'

/**
 * Where a command's events go: to the runner when it started us, else to the terminal.
 * @param quiet nothing to the terminal (`--json`)
 * @returns it throws the system's error when the event, or one before it, could not be written
 * @throws {Problem} `config_invalid` when the descriptor that the runner names is not a number
 */
export function eventsOut({ quiet = false }: { quiet?: boolean } = {}): (event: EventBody) => void {
  const fd = envValue('OPENCLAW_EVENTS_FD')
  if (fd === undefined) return quiet ? () => undefined : printEvent
  let failure: { readonly error: unknown } | null = null
  const batch = new Batch<string>({
    write: (lines) => writeAll(fd, Buffer.from(lines.join(''))),
    onError: (error) => {
      failure ??= { error }
    },
  })
  return (event) => {
    const line = `${JSON.stringify(event)}\n`
    batch.add(line, line.length)
    if (!ofProgram(event)) batch.flush()
    if (failure === null) return
    const { error } = failure
    failure = null
    throw error
  }
}
