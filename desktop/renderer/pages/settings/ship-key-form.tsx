import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState, type ReactElement } from 'react'
import { useLocation } from 'wouter'
import { actions } from '#shared/actions'
import type { ShipKeyView } from '#shared/bridge'
import { useHq } from '../../bridge/context.ts'
import { shipKeyQuery } from '../../bridge/queries.ts'
import { CopyButton } from '../../ui/copy.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Status } from '../../ui/status.tsx'
import type { Shown } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'
import { TrustedKeys } from './trusted-keys.tsx'
import { Part } from './part.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './settings.module.css'

const css = bindStyles(styles)

const { button } = actions.trust_ship_key

const storage = {
  os: 'In the system keystore; only HQ opens it.',
  file: 'In a file that only you can read; ships at a terminal use it too.',
  none: 'Created at the first ship or enrolment.',
} as const
const why = {
  os: '',
  file: ' This start of HQ uses no system keystore.',
  none: ' No keystore of this system answers.',
} as const

const about =
  'Signs every verdict and every ship of this laptop. ' +
  'A host with enrolled keys deploys nothing that another key approved.'

/** The key that signs verdicts and ships: its fingerprint, where it is stored, and whether the host trusts it. */
export function ShipKeyForm(): ReactElement {
  const { bridge } = useHq()
  const { data, error } = useQuery(shipKeyQuery(bridge))
  return (
    <Part title="Ship key" about={about}>
      {error && <ProblemNote error={error} />}
      {data && (
        <div className="form">
          <Key view={data} />
          <Host view={data} />
        </div>
      )}
    </Part>
  )
}

function Key({
  view: { key, kept: storedIn, can_move, keystore },
}: {
  view: ShipKeyView
}): ReactElement {
  const { bridge } = useHq()
  const client = useQueryClient()
  const { mutate, isPending, error } = useMutation({
    mutationFn: (to: 'os' | 'file') => bridge.call('ship_key.move', { to }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['ship_key'] }),
  })
  return (
    <>
      {key !== null && (
        <div className={css('row key-line')}>
          <code className="mono ellipsis" title={key.public_key}>
            {key.id}
          </code>
          <CopyButton text={key.id} label="Copy fingerprint" />
          <CopyButton text={key.public_key} label="Copy public key" />
        </div>
      )}
      <p className="soft">
        {storage[storedIn]}
        {storedIn === 'os' ? '' : why[keystore]}
      </p>
      {can_move !== null && (
        <div className="row">
          <PushButton busy={isPending} onPress={() => mutate(can_move)}>
            {can_move === 'os'
              ? 'Move it into the system keystore'
              : 'Move it to a file, for ships at a terminal'}
          </PushButton>
        </div>
      )}
      {error && <ProblemNote error={error} />}
    </>
  )
}

function Host({ view: { key, host } }: { view: ShipKeyView }): ReactElement | null {
  const { bridge } = useHq()
  const [, go] = useLocation()
  const [confirming, setConfirming] = useState(false)
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => bridge.call('ship_key.enrol', { id: key?.id ?? null }),
    onSuccess: ({ run_id }) => go(`/runs/${run_id}`),
  })
  if (host === null) return <p className="quiet">No host is set, so the key cannot be enrolled.</p>
  const { name, enrolled, others, detail } = host
  const first = others.length === 0
  return (
    <>
      <div className="row">
        <Status shown={shownOf(host)} />
        {enrolled === null && <span className="soft small">{visibleText(detail ?? '')}</span>}
        {enrolled === false && (
          <PushButton
            kind="main"
            busy={isPending}
            onPress={() => setConfirming(true)}
          >{`${button} on ${name}`}</PushButton>
        )}
      </div>
      <TrustedKeys laptopKey={key?.id ?? null} host={host} />
      {error && <ProblemNote error={error} />}
      <Confirm
        open={confirming}
        title={`${button} this laptop's key on ${name}?`}
        confirm={button}
        keep="Leave it"
        onConfirm={() => mutate()}
        onClose={() => setConfirming(false)}
      >
        <p>
          What {key === null ? 'this laptop' : key.id} signs counts as reviewed on {name} from then
          on.
        </p>
        {first && (
          <p>
            It is the first key there: from then on {name} deploys nothing that is unsigned.
            Verdicts from before keys existed are no longer trusted.
          </p>
        )}
      </Confirm>
    </>
  )
}

function shownOf({ name, enrolled }: NonNullable<ShipKeyView['host']>): Shown {
  if (enrolled === null) return { tone: 'skip', word: 'Not known' }
  return enrolled
    ? { tone: 'pass', word: `Enrolled on ${name}` }
    : { tone: 'you', word: `Not enrolled on ${name}` }
}
