import type { ReactElement } from 'react'
import { Link } from 'wouter'
import type { ConnectorDetail } from '#shared/connectors'
import { standingOfConnector } from '#shared/state/connectors'
import { Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { shortRun } from '../../text/format.ts'
import { bindStyles } from '../../ui/styles.ts'
import type { CardModel } from './model.ts'
import styles from './connectors.module.css'

const css = bindStyles(styles)

/** The last checks of each connector, newest first, each with its run; of an unused one only if there are any. */
export function CheckHistory({ cards }: { cards: readonly CardModel[] }): ReactElement | null {
  if (cards.every(({ detail }) => detail === null)) return null
  const shown = cards.filter(({ unused, detail }) => !unused || (detail?.history.length ?? 0) > 0)
  return (
    <section className={css('section')} aria-label="History of checks">
      <div className="list-head">
        <h2>History of checks</h2>
      </div>
      <div className={css('histories')}>
        {shown.map(({ name, title, detail }) => (
          <div key={name}>
            <h3 className="quiet small">{title}</h3>
            {detail === null || detail.history.length === 0 ? (
              <p className="quiet">Not checked yet.</p>
            ) : (
              <ol className="lined-list" aria-label={`Checks of ${title}`}>
                {detail.history.map((check) => (
                  <Line key={check.run_id} name={name} check={check} />
                ))}
              </ol>
            )}
          </div>
        ))}
      </div>
    </section>
  )
}

function Line({
  name,
  check: { run_id, checked_at, state, error_class },
}: {
  name: CardModel['name']
  check: ConnectorDetail['history'][number]
}): ReactElement {
  const facts = { state, expiresAt: null, attempt: null }
  const { tone, word } = standingOfConnector(name, facts, Date.parse(checked_at))
  return (
    <li>
      <Status shown={{ tone, word }} />
      <code className="mono quiet ellipsis">{error_class ?? ''}</code>
      <span className="line-end">
        <Age at={checked_at} />
      </span>
      <Link href={`/runs/${run_id}`} className="mono" aria-label={`Run ${shortRun(run_id)}`}>
        {shortRun(run_id)}
      </Link>
    </li>
  )
}
