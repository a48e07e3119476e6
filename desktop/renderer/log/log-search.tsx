import type { ReactElement } from 'react'
import { Button, Input, SearchField } from 'react-aria-components'
import { Icon } from '../ui/icons.tsx'
import { grouped } from '../text/format.ts'
import { bindStyles } from '../ui/styles.ts'
import styles from './log.module.css'

const css = bindStyles(styles)

interface Props {
  readonly query: string
  readonly matches: readonly number[]
  readonly selected: number | null
  readonly onQuery: (query: string) => void
  readonly onShow: (row: number) => void
}

/** Search in a log: Enter and the arrows go from match to match, round the end. */
export function LogSearch({ query, matches, selected, onQuery, onShow }: Props): ReactElement {
  const at = selected === null ? -1 : matches.indexOf(selected)
  const go = (by: 1 | -1): void => {
    if (matches.length === 0) return
    const from = at >= 0 ? at + by : by === 1 ? 0 : matches.length - 1
    const row = matches[(from + matches.length) % matches.length]
    if (row !== undefined) onShow(row)
  }
  const tally =
    query === ''
      ? ''
      : matches.length === 0
        ? 'none'
        : at < 0
          ? grouped(matches.length)
          : `${grouped(at + 1)} of ${grouped(matches.length)}`
  return (
    <>
      <SearchField
        className={css('field log-field')}
        aria-label="Search the log"
        value={query}
        onChange={onQuery}
        onSubmit={() => go(1)}
      >
        <Icon name="search" small />
        <Input placeholder="Search the log" spellCheck={false} />
        <span className="quiet nowrap" role="status">
          {tally}
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
