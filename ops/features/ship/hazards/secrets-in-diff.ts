// Secrets that a change adds.
import { redact } from '#ops/base/redact/redaction'
import { addedLines } from './characters.ts'
import type { DiffSection } from './diff-sections.ts'

/** A comment that says why what looks like a secret in this line or the next is not one. */
const permission = /openclaw-allow-secret:\s*(?<reason>\S.{2,})/
/** Most findings that are named per file. */
const maxPlaces = 10

export interface DiffSecrets {
  /** Lines that must not be shipped. Never with the secret itself. */
  readonly refused: readonly string[]
  /** Lines that a comment declares not to be secrets; the reviewer sees them. */
  readonly allowed: readonly string[]
}

/**
 * Searches what a change adds to one file for secrets: those that are known on this machine, in any encoding, and what
 * has a format of the maintained list. A comment may allow the second kind, in the same line or the one before; nothing
 * allows the first. Content that git takes for binary is not searched.
 */
export function secretsIn({ file, bytes }: DiffSection): DiffSecrets {
  if (file.binary) return { refused: [], allowed: [] }
  const lines = [...addedLines(bytes.toString('utf8'))]
  // In one text, because a key goes over many lines.
  const starts: number[] = []
  let text = ''
  for (const line of lines) {
    starts.push(text.length)
    text += `${line.text}\n`
  }
  const reasonAt = (index: number): string | undefined => {
    const [line, before] = [lines[index], lines[index - 1]]
    const above =
      line !== undefined && before?.number === line.number - 1 ? permission.exec(before.text) : null
    return (permission.exec(line?.text ?? '') ?? above)?.groups?.['reason']
  }
  const refused = new Set<string>()
  const allowed = new Set<string>()
  for (const { start, known } of redact.secrets(text)) {
    const index = lineAt(starts, start)
    const place = `${file.path}:${lines[index]?.number ?? 0}`
    const reason = reasonAt(index)
    if (known) refused.add(`${place} is a secret of this machine`)
    else if (reason === undefined) refused.add(`${place} has the format of a secret`)
    else
      allowed.add(
        `${place}: has the format of a secret, allowed by its own comment: ${JSON.stringify(reason.slice(0, 200))}`,
      )
  }
  return { refused: [...refused].slice(0, maxPlaces), allowed: [...allowed].slice(0, maxPlaces) }
}

/** Index of the line that holds a position. @param starts where each line begins, rising */
function lineAt(starts: readonly number[], place: number): number {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= place) low = middle
    else high = middle - 1
  }
  return low
}
