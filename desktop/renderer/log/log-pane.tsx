import {
  useMemo,
  useState,
  type CSSProperties,
  type HTMLAttributes,
  type ReactElement,
  type ReactNode,
  type Ref,
} from 'react'
import { ToggleButton } from 'react-aria-components'
import { CopyButton } from '../ui/copy.tsx'
import { Icon } from '../ui/icons.tsx'
import { PushButton } from '../ui/push-button.tsx'
import { bytes, clock, count } from '../text/format.ts'
import { AnsiText, plainText } from '../ui/ansi-text.tsx'
import { LogSearch } from './log-search.tsx'
import { firstErrorRow, type LogState } from '../state/log-state.ts'
import type { LogView } from './log-stream.ts'
import { useLogRows } from './use-log-rows.ts'
import { useMatches } from './use-matches.ts'
import { bindStyles } from '../ui/styles.ts'
import styles from './log.module.css'

const css = bindStyles(styles)

interface Props {
  readonly view: LogView
  /** The run is over: what still comes was written before. null: not known yet. */
  readonly ended?: boolean | null
  /** The line the triage names as the first error. */
  readonly named?: { readonly step: string; readonly line: number } | null
  /** A row to bring into view; a new object brings it into view again. */
  readonly goTo?: { readonly row: number } | null
}

/** The log of a run: numbered, searchable, virtual. Follows while live; once red, opens at the first error. */
export function LogPane({ view, ended = false, named = null, goTo = null }: Props): ReactElement {
  const { log } = view
  const [wrap, setWrap] = useState(false)
  const [query, setQuery] = useState('')
  // The log grows in place; every change of it is a new view.
  const errorRow = useMemo(() => firstErrorRow(view.log, named), [view, named])

  const { scroller, rows, follow, setFollow, selected, show } = useLogRows({ view, errorRow, goTo })
  return (
    <section className="pane log-pane" aria-label="Log">
      <LogBar
        view={view}
        errorRow={errorRow}
        selected={selected}
        query={query}
        onQuery={setQuery}
        onShow={show}
      >
        <Switches
          follow={follow}
          onFollow={setFollow}
          wrap={wrap}
          onWrap={(on) => {
            setWrap(on)
            rows.measure()
          }}
        />
      </LogBar>
      <div
        ref={scroller}
        className={css(`pane-scroll log-scroll ${wrap ? 'pane-wrap' : ''}`)}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Log lines"
        style={{ '--digits': `${String(log.lines).length}ch` } as CSSProperties}
        {...whenScrolledUp(() => setFollow(false))}
      >
        {log.rows.length === 0 && (
          <p className={css('quiet log-none')}>
            {view.stream === 'complete' || view.stream === 'stopped'
              ? 'There is no output.'
              : 'No output yet; lines appear here as they are written.'}
          </p>
        )}
        <div className={css('pane-rows log-rows')} style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, start, key }) => (
            <Row
              key={key}
              log={log}
              index={index}
              state={{ error: index === errorRow, selected: index === selected }}
              find={query.toLowerCase()}
              ref={rows.measureElement}
              style={{ transform: `translateY(${start}px)` }}
            />
          ))}
        </div>
      </div>
      <Footer view={view} ended={ended} />
    </section>
  )
}

function Switches({
  follow,
  onFollow,
  wrap,
  onWrap,
}: {
  follow: boolean
  onFollow: (on: boolean) => void
  wrap: boolean
  onWrap: (on: boolean) => void
}): ReactElement {
  return (
    <>
      <ToggleButton
        className={css('button button-small button-quiet')}
        isSelected={follow}
        onChange={onFollow}
      >
        <Icon name="follow" small />
        Follow
      </ToggleButton>
      <ToggleButton
        className="icon-button"
        aria-label="Wrap long lines"
        isSelected={wrap}
        onChange={onWrap}
      >
        <Icon name="wrap" small />
      </ToggleButton>
    </>
  )
}

/** A reader who scrolls up reads there: the log no longer follows its end. */
const whenScrolledUp = (leave: () => void): HTMLAttributes<HTMLElement> => ({
  onPointerDown: (event) => {
    if (event.target === event.currentTarget) leave()
  },
  onWheel: (event) => {
    if (event.deltaY < 0) leave()
  },
  onKeyDown: (event) => {
    if (['ArrowUp', 'PageUp', 'Home'].includes(event.key)) leave()
  },
})

/** Search, the way to the first error, and copying; the switches of the pane stand between them. */
function LogBar({
  view,
  errorRow,
  selected,
  query,
  onQuery,
  onShow,
  children,
}: {
  view: LogView
  errorRow: number | null
  selected: number | null
  query: string
  onQuery: (query: string) => void
  onShow: (row: number) => void
  children: ReactNode
}): ReactElement {
  const matches = useMatches(view, query)
  return (
    <div className={css('pane-bar log-bar')}>
      <LogSearch
        query={query}
        matches={matches}
        selected={selected}
        onQuery={onQuery}
        onShow={onShow}
      />
      <span className="grow" />
      {errorRow === null ? (
        <span className="quiet nowrap hide-narrow">{noErrors(view.log)}</span>
      ) : (
        <PushButton small kind="danger" icon="jump" onPress={() => onShow(errorRow)}>
          First error
        </PushButton>
      )}
      {children}
      <CopyButton label="Copy the log" text={() => wholeText(view.log)} />
    </div>
  )
}

function noErrors({ result }: LogState): string {
  if (result === null) return 'No errors yet'
  return result.overall === 'PASS' ? 'No errors' : ''
}

function Row({
  log,
  index,
  state: { error, selected },
  find,
  ref,
  style,
}: {
  log: LogState
  index: number
  state: { error: boolean; selected: boolean }
  find: string
  ref: Ref<HTMLDivElement>
  style: CSSProperties
}): ReactElement | null {
  const row = log.rows[index]
  if (!row) return null
  if (row.kind === 'mark')
    return (
      <div ref={ref} data-index={index} className={css('log-mark')} style={style}>
        {row.text}
      </div>
    )
  const classes = [
    'pane-row log-line',
    error && 'log-error',
    selected && 'pane-selected',
    row.stream === 'hq' && 'log-hq',
  ]
  return (
    <div
      ref={ref}
      data-index={index}
      data-number={row.number}
      style={style}
      className={css(classes.filter(Boolean).join(' '))}
    >
      <span className={css('pane-number log-number')}>{row.number}</span>
      <span className={css('log-time')}>
        {log.started === null ? '' : clock(row.time - log.started)}
      </span>
      <span className="pane-text">
        <AnsiText text={row.text} find={find} />
      </span>
    </div>
  )
}

const wholeText = (log: LogState): string =>
  log.rows.map((row) => (row.kind === 'mark' ? `── ${row.text}` : plainText(row.text))).join('\n')

const streamText: Record<LogView['stream'], string> = {
  live: 'Live',
  reconnecting: 'Reconnecting; continues where it stopped',
  complete: 'Complete',
  stopped: 'Stopped',
}

/** @param over the run has ended, so nothing of it is live; null: not known yet */
function streamTextOf(stream: LogView['stream'], over: boolean | null): string {
  if (stream !== 'live' || over === false) return streamText[stream]
  return over === null ? 'Reading' : 'Reading what was written'
}

function Footer({
  view: { log, stream, problem },
  ended,
}: {
  view: LogView
  ended: boolean | null
}): ReactElement {
  const over = log.result === null ? ended : true
  return (
    <footer className="pane-foot">
      <span>
        {count(log.lines, 'line')}
        {log.truncated ? ', cut at the limit' : ''}
      </span>
      <span>{problem && stream === 'stopped' ? problem.message : streamTextOf(stream, over)}</span>
      <span className={log.gaps > 0 ? 'tone-text fail' : ''}>
        {log.gaps === 0 ? 'No gaps' : `${count(log.gaps, 'event')} missing`}
      </span>
      <span className="grow" />
      <span className="hide-narrow">{bytes(log.bytes)}</span>
    </footer>
  )
}
