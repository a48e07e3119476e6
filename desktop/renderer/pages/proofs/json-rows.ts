/** A JSON text as the rows of a document. It is read token by token, so that each row knows its line in the file. */

export type JsonValue = string | number | boolean | null

export interface JsonRow {
  /** Line in the file, from 1. */
  readonly line: number
  /** 0: the fields of the document itself. */
  readonly depth: number
  /** Name of the field; null for an item of a list. */
  readonly key: string | null
  /** What the row is called: its key, or for an item of a list its name or number. */
  label: string
  readonly kind: 'value' | 'group'
  readonly value: JsonValue
  /** Fields or items of a group. */
  count: number
  /** Number of the row after the last one inside it. */
  end: number
  /** Scalar fields of a group that say most of it, in order. */
  readonly summary: { readonly key: string; readonly value: JsonValue }[]
}

/** Rows of a document that is shown; a larger one is shown as text. */
const maxRows = 300_000
const token = /[ \t\r\n]+|"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/gy
/** Fields whose value names an item of a list, and fields that sum it up. */
const naming = ['name', 'path', 'title', 'id', 'code', 'field']
const summing = ['status', 'overall', 'verdict', 'state', 'duration_ms', 'size', 'detail']

interface Open {
  /** Row of the group; null for the document itself. */
  readonly row: JsonRow | null
  readonly list: boolean
  items: number
  key: string | null
}

/** @returns null for a text that is not JSON, or has more rows than are shown */
export function jsonRows(text: string): readonly JsonRow[] | null {
  try {
    const whole: unknown = JSON.parse(text)
    if (typeof whole !== 'object' || whole === null) return null
  } catch {
    return null
  }
  return new JsonReader().read(text)
}

class JsonReader {
  private readonly rows: JsonRow[] = []
  private readonly open: Open[] = []
  private line = 1

  read(text: string): readonly JsonRow[] | null {
    for (const [part] of text.matchAll(token)) {
      if (this.rows.length > maxRows) return null
      this.take(part)
    }
    return this.rows
  }

  private take(part: string): void {
    const top = this.open.at(-1)
    const [first] = part
    if (first === '{' || first === '[') this.begin(top, first === '[')
    else if (first === '}' || first === ']') this.finish()
    else if (first === ':' || first === ',') return
    else if (/\s/.test(part)) this.line += part.split('\n').length - 1
    else if (top !== undefined && !top.list && top.key === null)
      top.key = JSON.parse(part) as string
    else this.add(top, 'value', JSON.parse(part) as JsonValue)
  }

  private begin(top: Open | undefined, list: boolean): void {
    const row = top === undefined ? null : this.add(top, 'group', null)
    this.open.push({ row, list, items: 0, key: null })
  }

  private finish(): void {
    const done = this.open.pop()
    if (done?.row) done.row.end = this.rows.length
  }

  private add(top: Open | undefined, kind: JsonRow['kind'], value: JsonValue): JsonRow {
    const key = top?.key ?? null
    const row: JsonRow = {
      line: this.line,
      depth: Math.max(0, this.open.length - 1),
      key,
      label: key ?? String((top?.items ?? 0) + 1),
      kind,
      value,
      count: 0,
      end: this.rows.length + 1,
      summary: [],
    }
    this.rows.push(row)
    if (top !== undefined) {
      top.items += 1
      top.key = null
      if (top.row) top.row.count = top.items
      if (kind === 'value' && key !== null) this.sumUp(top, key, value)
    }
    return row
  }

  private sumUp({ row }: Open, key: string, value: JsonValue): void {
    if (row === null || value === null || value === '') return
    if (
      row.key === null &&
      typeof value === 'string' &&
      naming.includes(key) &&
      /^\d+$/.test(row.label)
    )
      row.label = value
    else if (summing.includes(key)) row.summary.push({ key, value })
  }
}

/** Groups that are folded at first: below the second level, and long lists. */
export const foldedAtFirst = (rows: readonly JsonRow[]): ReadonlySet<number> =>
  new Set(
    rows.flatMap(({ kind, depth, count }, at) =>
      kind === 'group' && (depth >= 1 || count > 60) ? [at] : [],
    ),
  )

/** Numbers of the rows that are not inside a folded group. */
export function visibleRows(
  rows: readonly JsonRow[],
  folded: ReadonlySet<number>,
): readonly number[] {
  const visible: number[] = []
  for (let at = 0; at < rows.length;) {
    visible.push(at)
    at = folded.has(at) ? (rows[at]?.end ?? at + 1) : at + 1
  }
  return visible
}

/** The groups around a row. */
export function groupsAround(rows: readonly JsonRow[], row: number): readonly number[] {
  const around: number[] = []
  for (let at = 0; at < row;) {
    const end = rows[at]?.end ?? at + 1
    if (end > row) {
      around.push(at)
      at += 1
    } else at = end
  }
  return around
}

/** The row that stands in a line of the file, or the last one before it. */
export function rowAtLine(rows: readonly JsonRow[], line: number): number | null {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle]?.line ?? 0) <= line) low = middle + 1
    else high = middle
  }
  return low === 0 ? null : low - 1
}
