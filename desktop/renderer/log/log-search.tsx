import type { ReactElement } from 'react'
import { Button, Input, SearchField } from 'react-aria-components'
import { Icon } from '../ui/icons.tsx'
import { grouped } from '../text/format.ts'
import { bindStyles } from '../ui/styles.ts'
import styles from './log.module.css'

const css = bindStyles(styles)

interface Props {
  /** What the field is for. */
  readonly label?: string
  readonly query: string
  readonly matches: readonly number[]
  readonly selected: number | null
  readonly onQuery: (query: string) => void
  readonly onShow: (row: number) => void
}

/** *3 of 12*; *12* before one is chosen. @param at the chosen match, from 0; negative for none */
function tallyOf(at: number, matches: number): string {
  if (matches === 0) return 'none'
  return at < 0 ? grouped(matches) : `${grouped(at + 1)} of ${grouped(matches)}`
}

/** Search in a log: Enter and the arrows go from match to match, round the end. */
export function LogSearch({
  label = 'Search the log',
  query,
  matches,
  selected,
  onQuery,
  onShow,
}: Props): ReactElement {
  const at = selected === null ? -1 : matches.indexOf(selected)
  const go = (by: 1 | -1): void => {
    if (matches.length === 0) return
    const end = by === 1 ? 0 : matches.length - 1
    const from = at >= 0 ? at + by : end
    const row = matches[(from + matches.length) % matches.length]
    if (row !== undefined) onShow(row)
  }
  return (
    <>
      <SearchField
        className={css('field log-field')}
        aria-label={label}
        value={query}
        onChange={onQuery}
        onSubmit={() => go(1)}
      >
        <Icon name="search" small />
        <Input placeholder={label} spellCheck={false} />
        <span className="quiet nowrap" role="status">
          {query === '' ? '' : tallyOf(at, matches.length)}
        </span>
      </SearchField>
      <Button className="icon-button" aria-label="Previous match" onPress={() => go(-1)}>
        <Icon name="up" small />
      </Button>
      <Button className="icon-button" aria-label="Next match" onPress={() => go(1)}>
        <Icon name="down" small />
      </Button>
    </>
  )
}
