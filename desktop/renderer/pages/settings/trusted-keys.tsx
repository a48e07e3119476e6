import { useState, type ReactElement } from 'react'
import { actions } from '#shared/actions'
import type { ShipKeyView } from '#shared/bridge'
import { useActions } from '../../state/actions.tsx'
import { whyNot } from '#shared/state/buttons'
import { useLive } from '../../state/live.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Age } from '../../ui/time.tsx'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './settings.module.css'

const css = bindStyles(styles)

const { button } = actions.distrust_ship_key

interface Key {
  readonly id: string
  readonly whose: string
  readonly since: string | null
}

/** The keys whose approvals a host trusts: whose they are, since when, and how one is revoked. */
export function TrustedKeys({
  laptopKey,
  host: { name, enrolled, enrolled_at = null, others },
}: {
  /** Id of this laptop's key. */ laptopKey: string | null
  host: NonNullable<ShipKeyView['host']>
}): ReactElement | null {
  const keys: Key[] = [
    ...(enrolled === true && laptopKey !== null
      ? [{ id: laptopKey, whose: 'This laptop', since: enrolled_at }]
      : []),
    ...others.map(({ id, label, enrolled_at: since }) => ({
      id,
      whose: label ?? 'From trust.json',
      since,
    })),
  ]
  if (enrolled === null || keys.length === 0) return null
  const title = `Keys that ${name} trusts`
  return (
    <div className={css('trusted')}>
      <h3>{title}</h3>
      <ul className="lined-list" aria-label={title}>
        {keys.map((key) => (
          <TrustedKey key={key.id} of={key} host={name} only={keys.length === 1} />
        ))}
      </ul>
    </div>
  )
}

/** A key of trust.json was put there by hand: it has no date, and only an edit of that file removes it. */
function TrustedKey({
  of: { id, whose, since },
  host,
  only,
}: {
  of: Key
  host: string
  only: boolean
}): ReactElement {
  const { run, busy } = useActions()
  const { state } = useLive()
  const [confirming, setConfirming] = useState(false)
  const who = visibleText(whose)
  return (
    <li>
      <span className="strong">{who}</span>
      <code className="mono quiet ellipsis" title={id}>
        {id}
      </code>
      <span className="grow" />
      <span className="quiet nowrap">
        {since === null ? (
          'no date'
        ) : (
          <>
            since <Age at={since} />
          </>
        )}
      </span>
      {since !== null && (
        <PushButton
          small
          kind="danger"
          label={`${button} the key of ${who}`}
          busy={busy}
          blocked={
            only
              ? 'It is the only key; without a key, the host would deploy unsigned commits'
              : whyNot(state.buttons.of('distrust_ship_key'))
          }
          onPress={() => setConfirming(true)}
        >
          {button}
        </PushButton>
      )}
      <Confirm
        open={confirming}
        title={`${button} the key of ${who}?`}
        confirm="Revoke it"
        keep="Keep it"
        onConfirm={() => run('distrust_ship_key', { id })}
        onClose={() => setConfirming(false)}
      >
        <p>
          <code className="mono">{id.slice(0, 12)}</code> is no longer trusted on {host}: what only
          it has approved counts as unreviewed, and is not deployed. The running version keeps
          serving.
        </p>
      </Confirm>
    </li>
  )
}
