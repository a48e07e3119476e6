import { createRedactor, marker, type Redactor } from './redactor.ts'

/** A shorter text is no secret that could be kept out of a log: it would tear other words apart. In characters. */
export const shortestKnown = 8

/** Secrets that this process has met. In memory only: never written, never passed on. */
const known = new Set<string>()
let current = createRedactor()

/**
 * From now on these are kept out of everything that this process writes, in every encoding of `formsOf`. What is shorter
 * than `shortestKnown` is left out.
 */
export function knowSecrets(secrets: Iterable<string>): void {
  const before = known.size
  for (const secret of secrets) {
    const text = secret.trim()
    if (text.length >= shortestKnown && !marker.includes(text)) known.add(text)
  }
  if (known.size > before) current = createRedactor({ secrets: [...known] })
}

/** The redactor of this process: the maintained list and every secret known so far. A stream keeps what was known at its start. */
export const redact: Redactor = {
  text: (text) => current.text(text),
  lines: () => current.lines(),
  bytes: () => current.bytes(),
  stream: () => current.stream(),
  json: (value) => current.json(value),
  secrets: (text) => current.secrets(text),
}
