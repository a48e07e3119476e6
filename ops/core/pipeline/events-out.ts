import { writeSync } from 'node:fs'
import type { EventBody } from '#shared/events'
import { printEvent } from './report.ts'

/** Name of the variable in which the runner tells its child the descriptor for events. */
export const eventsFdVariable = 'OPENCLAW_EVENTS_FD'

/**
 * Where a command's events go: to the runner when it started us, else to the terminal.
 * @param quiet nothing to the terminal (`--json`)
 */
export function eventsOut({ quiet = false }: { quiet?: boolean } = {}): (event: EventBody) => void {
  const text = process.env[eventsFdVariable]
  if (text === undefined) return quiet ? () => undefined : printEvent
  const fd = Number(text)
  return (event) => {
    const line = Buffer.from(`${JSON.stringify(event)}\n`)
    for (let done = 0; done < line.length;) done += writeSync(fd, line, done)
  }
}
