/** The content of a file as it is shown: text in lines, a readable document, the lines of an event log. */
import { bytesOfBase64, textOfBytes } from '../../text/base64.ts'
import { plainText } from '../../ui/ansi-text.tsx'
import { collectedTable, type CollectedTable } from './collected.ts'
import { jsonRows, type JsonRow } from './json-rows.ts'

/** Lines that are shown; a scrolled area of a browser cannot be taller. */
const maxLines = 1_000_000
/** Characters of one line that are shown. */
const maxLineLength = 10_000

export interface FileDocument {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly lines: readonly string[]
  /** There are more lines than are shown. */
  readonly linesCut: boolean
  /** The JSON of the file as rows; null when it is none. */
  readonly json: readonly JsonRow[] | null
  /** What Phase 0 collected; null for another file. */
  readonly table: CollectedTable | null
  /** The lines of an event log as they were printed; null for another file. */
  readonly events: readonly string[] | null
}

/** @param path its name says what it is @param base64 its content */
export function fileDocument(path: string, base64: string): FileDocument {
  const bytes = bytesOfBase64(base64)
  const text = textOfBytes(bytes)
  const lines = text.split('\n', maxLines + 1)
  const linesCut = lines.length > maxLines
  if (linesCut || lines.at(-1) === '') lines.pop()
  return {
    bytes,
    lines,
    linesCut,
    table: collectedTable(path, text),
    json: path.endsWith('.json') ? jsonRows(text) : null,
    events: path.endsWith('.ndjson') ? lines.map(printed) : null,
  }
}

/** A line as it is drawn: a very long one is cut, and says so. */
export const drawn = (line: string): string =>
  line.length <= maxLineLength
    ? line.replace(/\r$/, '')
    : `${line.slice(0, maxLineLength)} … ${line.length - maxLineLength} more characters; download the file to see them`

/** Numbers of the lines in which something occurs. @param find lower case */
export const matchesIn = (lines: readonly string[], find: string): readonly number[] =>
  find === ''
    ? []
    : lines.flatMap((line, at) => (plainText(line).toLowerCase().includes(find) ? [at] : []))

/** What an event of a run printed, or what it says. The line itself when it is no event. */
function printed(line: string): string {
  try {
    const event = JSON.parse(line) as Readonly<Record<string, unknown>>
    const { type, text, step, status, error_class } = event
    if (type === 'log' && typeof text === 'string') return text
    if (typeof type !== 'string') return line
    const says = [type.replaceAll('_', ' '), step, status, error_class]
    return `\u001b[2m── ${says.filter((part) => typeof part === 'string').join(' ')}\u001b[0m`
  } catch {
    return line
  }
}
