import { writeAll } from '#ops/base/files/write-all'
import type { EventBody } from '#shared/events'
import { envValue } from '#ops/base/env'
import { printEvent } from './report.ts'

/**
 * Where a command's events go: to the runner when it started us, else to the terminal.
 * @param quiet nothing to the terminal (`--json`)
 * @throws {Problem} `config_invalid` when the descriptor that the runner names is not a number
 */
export function eventsOut({ quiet = false }: { quiet?: boolean } = {}): (event: EventBody) => void {
  const fd = envValue('OPENCLAW_EVENTS_FD')
  if (fd === undefined) return quiet ? () => undefined : printEvent
  return (event) => {
    const line = Buffer.from(`${JSON.stringify(event)}\n`)
    writeAll(fd, line)
  }
}
