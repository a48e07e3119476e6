import type { ReactElement } from 'react'
import { whyNot } from '#shared/state/buttons'
import { useHq } from '../../bridge/context.ts'
import { useLive } from '../../state/live.tsx'
import { Icon, type IconName } from '../../ui/icons.tsx'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Chip } from '../../ui/status.tsx'
import { bindStyles } from '../../ui/styles.ts'
import { AttemptEnd } from './attempt-end.tsx'
import { CardFacts } from './card-facts.tsx'
import { ConnectForm } from './connect-form.tsx'
import { Disconnect } from './disconnect.tsx'
import { Ladder } from './ladder.tsx'
import type { CardProps } from './card-props.ts'
import { endsSoon, type CardModel } from './model.ts'
import { useRequests } from './use-connectors.ts'
import styles from './connectors.module.css'

const css = bindStyles(styles)

/** A connector that has none of its own has the icon of the page. */
const icons: Readonly<Partial<Record<CardModel['name'], IconName>>> = {
  kajabi: 'course',
  gmail: 'mail',
}

export function ConnectorCard(props: Omit<CardProps, 'requests'>): ReactElement {
  const { card } = props
  const requests = useRequests()
  return (
    <section className={css('card conn')} aria-label={card.title}>
      <div className={css('conn-head')}>
        <Icon name={icons[card.name] ?? 'connectors'} />
        <h2>{card.title}</h2>
        <span className="grow" />
        <Chip shown={card} />
      </div>
      <div className={css('conn-body')}>
        <CardFacts card={card} />
        {requests.error !== null && <ProblemNote error={requests.error} />}
        <Middle {...props} requests={requests} />
      </div>
    </section>
  )
}

/** What can be done with it now. */
function Middle(props: CardProps): ReactElement {
  const { info } = useHq()
  const { card, open } = props
  if (card.flow !== null && card.step === 'attempt') return <Attempt {...props} flow={card.flow} />
  if (card.flow !== null && card.step === 'ended') return <AttemptEnd {...props} flow={card.flow} />
  const form = info.operator && (card.step === 'connect' || open)
  if (form) return <ConnectForm {...props} />
  return card.step === 'unused' ? <Unused {...props} /> : <AtRest {...props} />
}

function Attempt({
  card: { name, title },
  flow,
  filled,
  requests: { send, busy },
}: CardProps & { flow: NonNullable<CardModel['flow']> }): ReactElement {
  const { bridge } = useHq()
  return (
    <>
      <Ladder
        title={title}
        flow={flow}
        filled={filled}
        onShowWindow={() => send(() => bridge.call('connectors.show_window', { name }))}
      />
      <div className={css('conn-foot')}>
        <span className="quiet small">
          The secret on the host stays until the new one is proved.
        </span>
        <span className="grow" />
        <PushButton
          small
          kind="quiet-danger"
          busy={busy}
          label={`Cancel connecting ${title}`}
          onPress={() => send(() => bridge.call('connectors.cancel', { name }))}
        >
          Cancel
        </PushButton>
      </div>
    </>
  )
}

/** The host does without it: it can be connected. */
function Unused({ card: { title, ways }, onOpen }: CardProps): ReactElement {
  const { info } = useHq()
  return (
    <>
      <p className="quiet">{ways[0]?.text}</p>
      <div className={css('conn-foot')}>
        <span className="grow" />
        <PushButton
          small
          blocked={info.operator ? null : onlyOnLaptop}
          label={`Connect ${title}`}
          onPress={() => onOpen(true)}
        >
          {connectLabel(false, info.operator)}
        </PushButton>
      </div>
    </>
  )
}

const onlyOnLaptop = 'HQ on the laptop connects: secrets come only from there.'

/** Nothing must be done: it can be checked or proved, connected again, and disconnected. */
function AtRest(props: CardProps): ReactElement {
  const { card, filled } = props
  const { name, step, report, ready, title } = card
  const {
    onOpen,
    checking,
    requests: { send, busy },
  } = props
  const { bridge, info } = useHq()
  const { state } = useLive()
  const press = state.buttons.of('connectors_status')
  // The console cannot connect: it can only prove a file that was put there by hand.
  const prove = step === 'prove' || (!info.operator && step === 'connect')
  const again = report === null ? 'Check now' : 'Check again'
  const still = prove ? 'Prove it' : again
  const label = checking === null ? still : 'Checking'
  return (
    <div className={css('conn-foot')}>
      {(report !== null || step === 'prove') && <Disconnect {...props} />}
      {prove && step === 'connect' && (
        <span className="quiet small">A file put on the host by hand can be proved here.</span>
      )}
      <span className="grow" />
      <PushButton
        small
        kind={endsSoon(card) ? 'plain' : 'quiet'}
        blocked={info.operator ? null : onlyOnLaptop}
        onPress={() => onOpen(true)}
      >
        {connectLabel(ready, info.operator)}
      </PushButton>
      <PushButton
        small
        kind={kindOfCheck(card, filled)}
        blocked={whyNot(press)}
        busy={busy || checking !== null}
        label={`${label} ${title}`}
        onPress={() =>
          send(() =>
            prove
              ? bridge.call('connectors.finalize', { name })
              : bridge.call('host.exec', { action: 'connectors_status' }),
          )
        }
      >
        {label}
      </PushButton>
    </div>
  )
}

function kindOfCheck(card: CardModel, filled: boolean): 'main' | 'plain' | 'quiet' {
  if (filled) return 'main'
  return endsSoon(card) ? 'quiet' : 'plain'
}

function connectLabel(ready: boolean, operator: boolean): string {
  const label = ready ? 'Connect again' : 'Connect'
  return operator ? label : `${label}: only on the laptop`
}
