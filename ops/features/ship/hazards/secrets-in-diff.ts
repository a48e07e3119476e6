import { redact } from '#ops/base/redact/redaction'
import { addedLines } from './characters.ts'
import type { DiffSection } from './diff-sections.ts'

/** A comment by which a line says that what looks like a secret in it is none, with the reason. */
const permission = /openclaw-allow-secret:\s*(?<reason>\S.{2,})/
/** Most places that are named of one file. */
const most = 10

export interface DiffSecrets {
  /** Places that must not be shipped. Never with the secret itself. */
  readonly refused: readonly string[]
  /** Places whose own comment says that they are none; the reviewer is told. */
  readonly allowed: readonly string[]
}

/** Index of the line that holds a place. @param starts where each line begins, rising */
function lineAt(starts: readonly number[], place: number): number {
  let [low, high] = [0, starts.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((starts[middle] ?? 0) <= place) low = middle
    else high = middle - 1
  }
  return low
}

/**
 * Looks through what a change adds to one file for secrets: those that are known on this machine, in any encoding, and
 * what has a format of the maintained list. A comment may allow the second kind, in the same line or the one before;
 * nothing allows the first. Content that git takes for binary is not looked into.
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
    const [own, before] = [lines[index], lines[index - 1]]
    const above =
      own !== undefined && before?.number === own.number - 1 ? permission.exec(before.text) : null
    return (permission.exec(own?.text ?? '') ?? above)?.groups?.['reason']
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
  return { refused: [...refused].slice(0, most), allowed: [...allowed].slice(0, most) }
}
