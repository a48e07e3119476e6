import { useQuery } from '@tanstack/react-query'
import { useDeferredValue, useMemo, useState, type ComponentProps, type ReactElement } from 'react'
import { useSearchParams } from 'wouter'
import {
  evidenceHref,
  type EvidenceContent,
  type EvidenceFile,
  type EvidencePlace,
} from '#shared/evidence'
import { useHq } from '../../bridge/context.ts'
import { evidenceFileQuery } from '../../bridge/queries.ts'
import { LogSearch } from '../../log/log-search.tsx'
import { bytes, count, grouped } from '../../text/format.ts'
import { problemText } from '../../text/proof.ts'
import { visibleText } from '../../text/visible-text.ts'
import { Nothing, ProblemNote } from '../../ui/problem-note.tsx'
import { bindStyles } from '../../ui/styles.ts'
import type { CollectedTable } from './collected.ts'
import { CollectedView } from './collected-view.tsx'
import { fieldTitle } from './field-titles.ts'
import { fileDocument, matchesIn, type FileDocument } from './file-document.ts'
import { FileTools } from './file-tools.tsx'
import { rowAtLine, type JsonRow } from './json-rows.ts'
import { JsonView } from './json-view.tsx'
import { TextLines } from './text-lines.tsx'
import styles from './file-view.module.css'

const css = bindStyles(styles)

interface Props {
  readonly place: EvidencePlace
  readonly path: string
  /** What is known of the file; null when the folder does not list it. */
  readonly file: EvidenceFile | null
}

/** One file of a run: readable or raw, searchable, with a link to each line. */
export function FilePane({ place, path, file }: Props): ReactElement {
  const { bridge } = useHq()
  const { data, error, isPending } = useQuery(evidenceFileQuery(bridge, place, path))
  const shown = useMemo(
    () => (data === undefined ? null : fileDocument(path, data.base64)),
    [path, data],
  )
  return (
    <section className="pane" aria-label={visibleText(path)}>
      {error && (
        <div className={css('file-says')}>
          <ProblemNote error={error} />
        </div>
      )}
      {isPending && (
        <p className={css('file-says soft')} role="status">
          Reading {visibleText(path)}
          {file?.size ? `, ${bytes(file.size)}` : ''}
        </p>
      )}
      {shown && data && (
        <Shown place={place} path={path} file={file} content={data} shown={shown} />
      )}
    </section>
  )
}

interface ShownProps extends Props {
  readonly content: EvidenceContent
  readonly shown: FileDocument
}

/** The line in the address, and how to change it without a new entry in the history. */
function useLine(): readonly [number | null, (line: number) => void] {
  const [search, setSearch] = useSearchParams()
  const line = Number(search.get('line') ?? '')
  return [
    Number.isInteger(line) && line > 0 ? line : null,
    (next) => setSearch({ line: String(next) }, { replace: true }),
  ]
}

/** Text of each row that is searched. */
const searched = (rows: readonly JsonRow[]): readonly string[] =>
  rows.map(
    ({ key, label, value }) => `${key === null ? label : fieldTitle(key)} ${String(value ?? '')}`,
  )

function Shown({ place, path, file, content, shown }: ShownProps): ReactElement {
  const [line, setLine] = useLine()
  const [raw, setRaw] = useState(false)
  const [wrap, setWrap] = useState(false)
  const [query, setQuery] = useState('')
  const find = useDeferredValue(query.toLowerCase())
  const form = useMemo(() => formOf(shown, raw), [shown, raw])
  const matches = useMemo(() => matchesIn(form.texts, find), [form, find])
  const selected = form.rowAt(line)
  const hrefOf = (number: number): string => evidenceHref(place, path, number)
  return (
    <>
      <FileTools
        search={
          <LogSearch
            label="Search this file"
            query={query}
            matches={matches}
            selected={selected}
            onQuery={setQuery}
            onShow={(row) => setLine(form.lineOf(row))}
          />
        }
        readable={shown.json !== null || shown.events !== null || shown.table !== null}
        raw={raw}
        onRaw={setRaw}
        wrap={form.kind === 'lines' ? { on: wrap, set: setWrap } : null}
        line={line}
        name={path.split('/').at(-1) ?? path}
        bytes={shown.bytes}
      />
      {shown.bytes.length === 0 && <Empty file={file} />}
      <Content
        key={`${path} ${String(raw)}`}
        form={form}
        wrap={wrap}
        of={{ name: visibleText(path), find, matches, selected, hrefOf }}
      />
      <Foot shown={shown} content={content} file={file} line={line} />
    </>
  )
}

/** How a file is shown, what of it is searched, and which row stands for a line. */
type Form = {
  readonly texts: readonly string[]
  readonly lineOf: (row: number) => number
  readonly rowAt: (line: number | null) => number | null
} & (
  | { readonly kind: 'table'; readonly table: CollectedTable }
  | { readonly kind: 'json'; readonly json: readonly JsonRow[] }
  | { readonly kind: 'lines'; readonly lines: readonly string[] }
)

function formOf({ table, json, events, lines: all }: FileDocument, raw: boolean): Form {
  if (!raw && table !== null)
    return {
      kind: 'table',
      table,
      texts: table.rows.map(({ cells }) => cells.join(' ')),
      lineOf: (row) => table.rows[row]?.line ?? 1,
      rowAt: (line) => {
        const row = table.rows.findIndex((each) => each.line === line)
        return row < 0 ? null : row
      },
    }
  if (!raw && json !== null)
    return {
      kind: 'json',
      json,
      texts: searched(json),
      lineOf: (row) => json[row]?.line ?? 1,
      rowAt: (line) => (line === null ? null : rowAtLine(json, line)),
    }
  const lines = (raw ? null : events) ?? all
  return {
    kind: 'lines',
    lines,
    texts: lines,
    lineOf: (row) => row + 1,
    rowAt: (line) => (line === null || line > lines.length ? null : line - 1),
  }
}

interface ContentProps {
  readonly form: Form
  readonly wrap: boolean
  /** What every form is given. */
  readonly of: Pick<
    ComponentProps<typeof TextLines>,
    'name' | 'find' | 'matches' | 'selected' | 'hrefOf'
  >
}

function Content({ form, wrap, of }: ContentProps): ReactElement {
  if (form.kind === 'table') return <CollectedView table={form.table} {...of} />
  if (form.kind === 'json') return <JsonView rows={form.json} {...of} />
  return <TextLines lines={form.lines} wrap={wrap} {...of} />
}

const Empty = ({ file }: { file: EvidenceFile | null }): ReactElement => (
  <div className={css('file-says')}>
    <Nothing title={file?.sealed?.size === 0 ? '0 bytes, as sealed' : '0 bytes'} />
  </div>
)

function Foot({
  shown: { lines, linesCut, bytes: read },
  content: { size, truncated },
  file,
  line,
}: Pick<ShownProps, 'shown' | 'content' | 'file'> & { line: number | null }): ReactElement {
  return (
    <footer className="pane-foot">
      <span>
        {count(lines.length, 'line')}, {grouped(size ?? read.length)} B
      </span>
      {line !== null && <span>Line {grouped(line)}</span>}
      {(truncated || linesCut) && (
        <span className="tone-text warn">
          {truncated
            ? `Only the first ${bytes(read.length)} are shown`
            : 'Only the first lines are shown'}
        </span>
      )}
      <span className="grow" />
      <Seal file={file} />
    </footer>
  )
}

function Seal({ file }: { file: EvidenceFile | null }): ReactElement | null {
  if (!file?.sealed) return null
  const { sealed, problem } = file
  if (problem !== null) return <span className="tone-text fail">{problemText[problem]}</span>
  return (
    <span title={sealed.sha256} className="ellipsis">
      sha256 <code className="mono">{sealed.sha256.slice(0, 8)}…</code>, as sealed
    </span>
  )
}
