import type { ReactElement } from 'react'
import { Button } from 'react-aria-components'
import type { Finding } from '#shared/verdict'
import { Icon, Mark } from '../../ui/icons.tsx'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './finding-list.module.css'

const css = bindStyles(styles)

/** Where a finding is, as people write it. */
export const locationOf = ({ file, line }: Finding): string =>
  `${visibleText(file)}${line > 0 ? `:${line}` : ''}`

const labelOf = (finding: Finding): string =>
  `${finding.severity === 'blocking' ? 'Blocking' : 'Note'}: ${visibleText(finding.title)}, ${locationOf(finding)}`

/** All findings of a review, blocking ones first; each leads to its line of the diff. */
export function FindingList({
  findings,
  onChoose,
}: {
  findings: readonly Finding[]
  onChoose: (finding: Finding) => void
}): ReactElement | null {
  if (findings.length === 0) return null
  const sorted = findings.toSorted(
    (a, b) => Number(b.severity === 'blocking') - Number(a.severity === 'blocking'),
  )
  return (
    <section aria-label="Findings">
      <h2>
        <span>Findings</span>
        <span>{findings.length}</span>
      </h2>
      <ol className={css('finding-list')}>
        {sorted.map((finding, index) => (
          <li key={index}>
            <Button
              className={css('finding-link')}
              aria-label={labelOf(finding)}
              onPress={() => onChoose(finding)}
            >
              {finding.severity === 'blocking' ? (
                <Mark tone="blocked" small />
              ) : (
                <Icon name="note" small />
              )}
              <span>
                <b>{visibleText(finding.title)}</b>{' '}
                <code className="mono quiet">{locationOf(finding)}</code>
              </span>
            </Button>
          </li>
        ))}
      </ol>
    </section>
  )
}
