import type { ReactElement } from 'react'
import type { ConnectorsView } from '#shared/bridge'
import { inWords } from '#shared/state/connectors'
import { useLive } from '../../state/live.tsx'
import { Status } from '../../ui/status.tsx'
import { bindStyles } from '../../ui/styles.ts'
import type { CardModel } from './model.ts'
import { neededBy, Phase0Button, phase0Of } from './phase0.tsx'
import styles from './connectors.module.css'

const css = bindStyles(styles)

/** Every connector that Phase 0 needs, then Phase 0, in one line: what waits for what. */
export function Chain({
  cards,
  view,
  filled,
}: {
  cards: readonly CardModel[]
  view: ConnectorsView
  /** No connector comes before Phase 0. */
  filled: boolean
}): ReactElement {
  const { overview } = useLive()
  const needed = neededBy(cards)
  const phase0 = phase0Of(cards, view, overview)
  return (
    <div className={css('chain')}>
      <ol className={css('chain-steps')} aria-label="From the connectors to Phase 0">
        {needed.map((card) => (
          <li key={card.name}>
            <Status shown={{ tone: card.tone, word: inWords(card) }} />
          </li>
        ))}
        <li>
          <Status
            shown={{ tone: phase0.tone, word: inWords({ title: 'Phase 0', word: phase0.word }) }}
          />
          {phase0.tone === 'blocked' && (
            <span className={css('soft small chain-why')}>
              <code className="mono">CONNECTOR_NOT_CONFIGURED</code> until{' '}
              {needed.length === 2 ? 'both' : 'all'} are ready
            </span>
          )}
        </li>
      </ol>
      <Phase0Button cards={cards} filled={filled && phase0.tone !== 'pass'} />
    </div>
  )
}
