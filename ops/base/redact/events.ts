import type { EventBody } from '#shared/events'
import { redact } from './redaction.ts'

/** Redacts the events of one run, in their order: a private key is followed over the lines of each stream. */
export function eventRedactor(): (event: EventBody) => EventBody {
  const streams = { stdout: redact.lines(), stderr: redact.lines(), hq: redact.lines() }
  let step: string | null = null
  return (event) => {
    if (event.type !== 'log') return redact.json(event)
    if (event.step !== step) step = event.step === null ? null : redact.text(event.step)
    const text = streams[event.stream](event.text)
    return text === event.text && step === event.step ? event : { ...event, step, text }
  }
}
