import { useState, type ReactElement } from 'react'
import { connectors } from '#shared/connectors/list'
import { useHq } from '../../bridge/context.ts'
import { useLive } from '../../state/live.tsx'
import { whyNot } from '#shared/state/buttons'
import { Confirm } from '../../ui/dialog.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import type { CardProps } from './card-props.ts'

/** Deletes the secret, after a question that says where. */
export function Disconnect({
  card: { name, title, required },
  requests: { send, busy },
}: CardProps): ReactElement | null {
  const { bridge, info } = useHq()
  const { state } = useLive()
  const [asked, setAsked] = useState(false)
  if (!info.operator) return null
  return (
    <>
      <PushButton
        small
        kind="quiet-danger"
        busy={busy}
        blocked={whyNot(state.buttons.of('connectors_status'))}
        label={`Disconnect ${title}`}
        onPress={() => setAsked(true)}
      >
        Disconnect
      </PushButton>
      <Confirm
        open={asked}
        title={`Disconnect ${title} from ${state.reach.name}?`}
        confirm={`Disconnect ${title}`}
        keep="Keep it"
        onConfirm={() => send(() => bridge.call('connectors.revoke', { name }))}
        onClose={() => setAsked(false)}
      >
        <p>
          {state.reach.name} deletes its secret of {title}. {connectors[name].disconnect}{' '}
          {required
            ? `Phase 0 is blocked until ${title} is connected again.`
            : 'The host does without it then.'}
        </p>
      </Confirm>
    </>
  )
}
