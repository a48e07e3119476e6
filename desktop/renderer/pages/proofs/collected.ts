/** What Phase 0 collected, as a table: the items of the library, or the messages of the harvest. */
import {
  harvestFile,
  harvestRecord,
  libraryFile,
  librarySnapshot,
  type HarvestRecord,
} from '#shared/phase0'
import { bytes } from '../../text/format.ts'

export interface CollectedTable {
  readonly columns: readonly string[]
  readonly rows: readonly CollectedRow[]
}

export interface CollectedRow {
  /** Line in the file, from 1. */
  readonly line: number
  /** One text for each column, as the service wrote it. */
  readonly cells: readonly string[]
}

/** @returns null for any other file, and for one that is not of the expected form */
export function collectedTable(path: string, text: string): CollectedTable | null {
  const name = path.split('/').at(-1)
  if (name === libraryFile) return libraryTable(text)
  return name === harvestFile ? harvestTable(text) : null
}

function libraryTable(text: string): CollectedTable | null {
  const snapshot = librarySnapshot.safeParse(parsed(text)).data
  if (snapshot === undefined) return null
  // HQ writes one field a line, and a string of JSON holds no line end.
  const lines = text
    .split('\n')
    .flatMap((line, at) => (line.trimStart().startsWith('"href":') ? [at + 1] : []))
  const items = snapshot.pages.flatMap(({ title, path, items: listed }) =>
    listed.map((item) => [item.title, item.href, title === '' ? path : title]),
  )
  return {
    columns: ['Title', 'Address', 'Page'],
    rows: items.map((cells, at) => ({ line: lines[at] ?? 1, cells })),
  }
}

type Column = readonly [title: string, cell: (message: HarvestRecord) => string | undefined]

const harvestColumns: readonly Column[] = [
  ['Date', ({ date }) => date?.slice(0, 16).replace('T', ' ') ?? ''],
  ['From', ({ from }) => from],
  ['To', ({ to }) => to],
  ['Subject', ({ subject }) => subject],
  ['Labels', ({ labels }) => labels?.join(', ')],
  [
    'Attachments',
    ({ attachments }) =>
      attachments?.map(({ name, size }) => `${name} (${bytes(size)})`).join(', '),
  ],
  ['Id', ({ id }) => id],
]

/** A field that the harvest did not keep has no column. */
function harvestTable(text: string): CollectedTable | null {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const messages: HarvestRecord[] = []
  for (const line of lines) {
    const message = harvestRecord.safeParse(parsed(line)).data
    if (message === undefined) return null
    messages.push(message)
  }
  const columns = harvestColumns.filter(([, cell]) =>
    messages.some((message) => cell(message) !== undefined),
  )
  return {
    columns: columns.map(([title]) => title),
    rows: messages.map((message, at) => ({
      line: at + 1,
      cells: columns.map(([, cell]) => cell(message) ?? ''),
    })),
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // not of the expected form: it is shown as text
  }
}
