import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useEffectEvent, useMemo, useRef, useState, type ReactElement } from 'react'
import { ToggleButton } from 'react-aria-components'
import { CopyButton } from '../ui/copy.tsx'
import { Icon } from '../ui/icons.tsx'
import { PushButton } from '../ui/push-button.tsx'
import { bytes, clock, count } from '../text/format.ts'
import { AnsiText, plainText } from '../ui/ansi-text.tsx'
import { LogSearch } from './log-search.tsx'
import { firstErrorRow, type LogState } from '../state/log-state.ts'
import type { LogView } from './log-stream.ts'
import { useMatches } from './use-matches.ts'
import { bindStyles } from '../ui/styles.ts'
import styles from './log.module.css'

const css = bindStyles(styles)

const lineHeight = 19
const markHeight = 28

interface Props {
  readonly view: LogView
  /** The line the triage names as the first error. */
  readonly named?: { readonly step: string; readonly line: number } | null
  /** A row to bring into view; a new object asks again. */
  readonly goTo?: { readonly row: number } | null
}

/** The log of a run: numbered, searchable, virtual. Follows while it is live, opens at the first error once it is red. */
export function LogPane({ view, named = null, goTo = null }: Props): ReactElement {
  const { log } = view
  const scroller = useRef<HTMLDivElement>(null)
  const [follow, setFollow] = useState(view.stream !== 'complete' || log.lines === 0)
  const [wrap, setWrap] = useState(false)
  const [selected, setSelected] = useState<number | null>(null)
  const [query, setQuery] = useState('')
  const matches = useMatches(view, query)
  // The log grows in place; every news of it is a new view.
  const errorRow = useMemo(() => firstErrorRow(view.log, named), [view, named])

  // oxlint-disable-next-line react/incompatible-library -- it asks not to be memoized by the React compiler, which is not used
  const rows = useVirtualizer({
    count: log.rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => (log.rows[index]?.kind === 'mark' ? markHeight : lineHeight),
    overscan: 24,
    paddingStart: 6,
    paddingEnd: 6,
  })
  const show = (row: number): void => {
    setFollow(false)
    setSelected(row)
    rows.scrollToIndex(row, { align: 'center' })
  }

  const toEnd = useEffectEvent(() => {
    if (log.rows.length > 0) rows.scrollToIndex(log.rows.length - 1, { align: 'end' })
  })
  useEffect(() => {
    if (follow) toEnd()
  }, [follow, view])
  const opened = useRef(false)
  const showOnce = useEffectEvent((row: number) => {
    if (opened.current) return
    opened.current = true
    show(row)
  })
  const red = log.result !== null || view.stream === 'complete'
  useEffect(() => {
    if (red && errorRow !== null) showOnce(errorRow)
  }, [red, errorRow])
  const showAsked = useEffectEvent((row: number) => {
    // In a narrow window the log may lie below what was pressed.
    scroller.current?.scrollIntoView({ block: 'nearest' })
    show(row)
  })
  useEffect(() => {
    if (goTo) showAsked(goTo.row)
  }, [goTo])
  const toggleWrap = (on: boolean): void => {
    setWrap(on)
    rows.measure()
  }

  return (
    <section className="log-pane" aria-label="Log">
      <div className={css('log-bar')}>
        <LogSearch
          query={query}
          matches={matches}
          selected={selected}
          onQuery={setQuery}
          onShow={show}
        />
        <span className="grow" />
        {errorRow === null ? (
          <span className="quiet nowrap hide-narrow">
            {log.result?.overall === 'PASS'
              ? 'No errors'
              : log.result === null
                ? 'No errors yet'
                : ''}
          </span>
        ) : (
          <PushButton small kind="danger" icon="jump" onPress={() => show(errorRow)}>
            First error
          </PushButton>
        )}
        <ToggleButton
          className={css('button button-small button-quiet')}
          isSelected={follow}
          onChange={setFollow}
        >
          <Icon name="follow" small />
          Follow
        </ToggleButton>
        <ToggleButton
          className="icon-button"
          aria-label="Wrap long lines"
          isSelected={wrap}
          onChange={toggleWrap}
        >
          <Icon name="wrap" small />
        </ToggleButton>
        <CopyButton label="Copy the log" text={() => wholeText(log)} />
      </div>
      <div
        ref={scroller}
        className={css(`log-scroll ${wrap ? 'log-wrap' : ''}`)}
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label="Log lines"
        onPointerDown={(event) => {
          if (event.target === event.currentTarget) setFollow(false)
        }}
        onWheel={(event) => {
          if (event.deltaY < 0) setFollow(false)
        }}
        onKeyDown={(event) => {
          if (['ArrowUp', 'PageUp', 'Home'].includes(event.key)) setFollow(false)
        }}
      >
        {log.rows.length === 0 && (
          <p className={css('quiet log-none')}>
            {view.stream === 'complete' || view.stream === 'stopped'
              ? 'It left no output.'
              : 'No output yet; lines appear here as they are written.'}
          </p>
        )}
        <div className={css('log-rows')} style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, start, key }) => {
            const row = log.rows[index]
            if (!row) return null
            const place = { transform: `translateY(${start}px)` }
            if (row.kind === 'mark')
              return (
                <div
                  key={key}
                  ref={rows.measureElement}
                  data-index={index}
                  className={css('log-mark')}
                  style={place}
                >
                  {row.text}
                </div>
              )
            return (
              <div
                key={key}
                ref={rows.measureElement}
                data-index={index}
                data-number={row.number}
                style={place}
                className={css(
                  `log-line ${index === errorRow ? 'log-error' : ''} ${index === selected ? 'log-selected' : ''} ${row.stream === 'hq' ? 'log-hq' : ''}`,
                )}
              >
                <span className={css('log-number')}>{row.number}</span>
                <span className={css('log-time')}>
                  {log.started === null ? '' : clock(row.time - log.started)}
                </span>
                <span className={css('log-text')}>
                  <AnsiText text={row.text} find={query.toLowerCase()} />
                </span>
              </div>
            )
          })}
        </div>
      </div>
      <Footer view={view} />
    </section>
  )
}

const wholeText = (log: LogState): string =>
  log.rows.map((row) => (row.kind === 'mark' ? `── ${row.text}` : plainText(row.text))).join('\n')

const words: Record<LogView['stream'], string> = {
  live: 'Live',
  reconnecting: 'Reconnecting; goes on where it stopped',
  complete: 'Complete',
  stopped: 'Stopped',
}

function Footer({ view: { log, stream, problem } }: { view: LogView }): ReactElement {
  return (
    <footer className={css('log-foot')}>
      <span>
        {count(log.lines, 'line')}
        {log.truncated ? ', cut at the limit' : ''}
      </span>
      <span>{problem && stream === 'stopped' ? problem.message : words[stream]}</span>
      <span className={log.gaps > 0 ? 'tone-text fail' : ''}>
        {log.gaps === 0 ? 'No gaps' : `${count(log.gaps, 'event')} never came`}
      </span>
      <span className="grow" />
      <span className="hide-narrow">{bytes(log.bytes)}</span>
    </footer>
  )
}
