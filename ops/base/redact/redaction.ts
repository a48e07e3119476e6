import { createRedactor, marker, type Redactor } from './redactor.ts'

/** A shorter secret is not redacted: doing so would tear other text apart. In characters. */
export const shortestKnown = 8

/** Secrets that this process has met. In memory only: never written, never passed on. */
const known = new Set<string>()
let current = { all: createRedactor(), source: createRedactor({ places: false }) }

/**
 * From now on these are kept out of everything that this process writes, in every encoding of `formsOf`. What is
 * shorter than `shortestKnown` is left out.
 */
export function knowSecrets(secrets: Iterable<string>): void {
  const before = known.size
  for (const secret of secrets) {
    const text = secret.trim()
    if (text.length >= shortestKnown && !marker.includes(text)) known.add(text)
  }
  if (known.size > before)
    current = {
      all: createRedactor({ secrets: [...known] }),
      source: createRedactor({ secrets: [...known], places: false }),
    }
}

const of = (kind: keyof typeof current): Redactor => ({
  text: (text) => current[kind].text(text),
  lines: () => current[kind].lines(),
  bytes: (options) => current[kind].bytes(options),
  stream: () => current[kind].stream(),
  json: (value) => current[kind].json(value),
  secrets: (text) => current[kind].secrets(text),
})

/**
 * The redactor of this process: the maintained list and every secret known so far. A stream keeps what was known at
 * its start.
 */
export const redact: Redactor = of('all')

/**
 * The same for source and diffs, which name tokens and passwords without holding one: known secrets and known formats
 * only.
 */
export const redactSource: Redactor = of('source')
