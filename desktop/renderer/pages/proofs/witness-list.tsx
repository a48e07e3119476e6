import { useState, type ReactElement } from 'react'
import { Button } from 'react-aria-components'
import type { WitnessView } from '#shared/bridge'
import { Sheet } from '../../ui/dialog.tsx'
import { Status } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { dateAndTime } from '../../text/format.ts'
import { problemText } from '../../text/proof.ts'
import type { Shown } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './proofs.module.css'

const css = bindStyles(styles)

function stateOf({ open, problem, seen, looked_at }: WitnessView): Shown {
  if (open.length > 0) return { tone: 'fail', word: 'Alarm' }
  if (problem !== null) return { tone: 'skip', word: 'Not checked' }
  if (seen === null)
    return { tone: 'wait', word: looked_at === null ? 'Waiting' : 'Nothing sealed' }
  return { tone: 'pass', word: 'As witnessed' }
}

/** How far each chain had come at HQ's last check. */
export function WitnessList({ witnesses }: { witnesses: readonly WitnessView[] }): ReactElement {
  return (
    <ul className={css('lined-list witnesses')} aria-label="What HQ has witnessed">
      {witnesses.map((witness) => (
        <Witness key={witness.id} witness={witness} />
      ))}
    </ul>
  )
}

function Witness({ witness }: { witness: WitnessView }): ReactElement {
  const [open, setOpen] = useState(false)
  const { title, seen, key_id, problem, acknowledged } = witness
  return (
    <li>
      <Status shown={stateOf(witness)} />
      <span className="strong ellipsis">{visibleText(title)}</span>
      <span className="soft ellipsis">
        {seen === null ? (
          'No proof seen yet'
        ) : (
          <>
            {`up to number ${seen.counter} `}
            <code className="mono quiet" title={seen.head}>
              {seen.head.slice(0, 12)}
            </code>
            , first seen <Age at={seen.seen_at} />
          </>
        )}
      </span>
      {key_id !== null && (
        <span className="quiet hide-narrow nowrap">
          key{' '}
          <code className="mono" title={key_id}>
            {key_id.slice(0, 12)}
          </code>
        </span>
      )}
      <span className="grow" />
      {acknowledged.length > 0 && (
        <Button
          className="link-button small nowrap"
          onPress={() => setOpen(true)}
        >{`${acknowledged.length} acknowledged`}</Button>
      )}
      <span className="quiet nowrap" title={problem ?? ''}>
        <LastCheck witness={witness} />
      </span>
      {open && (
        <Sheet title={`Acknowledged alarms of ${title}`} onClose={() => setOpen(false)}>
          <ul className={css('proof-problems')}>
            {acknowledged.map(({ at, reason, alarms }) => (
              <li key={at}>
                <p>
                  <b>{visibleText(reason)}</b> <span className="quiet">{dateAndTime(at)}</span>
                </p>
                {alarms.map(({ code, detail }) => (
                  <p key={`${code}${detail}`} className="soft">
                    {problemText[code]} <code className="mono quiet">{code}</code>:{' '}
                    {visibleText(detail)}
                  </p>
                ))}
              </li>
            ))}
          </ul>
        </Sheet>
      )}
    </li>
  )
}

function LastCheck({ witness: { problem, looked_at } }: { witness: WitnessView }): ReactElement {
  if (problem !== null) return <>cannot be checked now</>
  if (looked_at === null) return <>not checked yet</>
  return (
    <>
      checked <Age at={looked_at} />
    </>
  )
}
