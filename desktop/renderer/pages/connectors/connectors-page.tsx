import { useState, type ReactElement } from 'react'
import { useLocation } from 'wouter'
import type { ConnectorsView } from '#shared/bridge'
import type { ConnectorName } from '#shared/connectors/list'
import { whyNot } from '#shared/state/buttons'
import { BridgeError } from '../../bridge/bridge-error.ts'
import { useHq } from '../../bridge/context.ts'
import { useLive } from '../../state/live.tsx'
import { Icon } from '../../ui/icons.tsx'
import { NoSuchPage } from '../../ui/no-such-page.tsx'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { bindStyles } from '../../ui/styles.ts'
import { timeOfDay } from '../../text/format.ts'
import type { PageProps } from '../page.ts'
import type { Typed } from './card-props.ts'
import { Chain } from './chain.tsx'
import { ConnectorCard } from './connector-card.tsx'
import { CheckHistory } from './history.tsx'
import { cardsOf, connectorNamed, filledOf } from './model.ts'
import { Phase0Card } from './phase0-card.tsx'
import { useConnectors, useRequests } from './use-connectors.ts'
import styles from './connectors.module.css'

const css = bindStyles(styles)

/** Where each connector stands, how to connect it, and Phase 0; with an id, the form of that connector is open. */
export function ConnectorsPage({ id }: PageProps): ReactElement {
  const named = connectorNamed(id)
  return id !== null && named === null ? <NoSuchPage /> : <Page opened={named?.name ?? null} />
}

function Page({ opened }: { opened: ConnectorName | null }): ReactElement {
  const { view, error, checking } = useConnectors()
  const { url } = useLive().overview.connection
  return (
    <div className={css('page connectors')}>
      <Head view={view} checking={checking !== null} />
      {error !== null && <ProblemNote error={error} />}
      {view === null ? (
        error === null && (
          <p className="soft" role="status">
            Reading the connectors
          </p>
        )
      ) : (
        // A form that was filled in for one host is not sent to another one.
        <Body key={url} view={view} checking={checking?.run_id ?? null} first={opened} />
      )}
    </div>
  )
}

function Head({
  view,
  checking,
}: {
  view: ConnectorsView | null
  checking: boolean
}): ReactElement {
  const { bridge, info } = useHq()
  const { state } = useLive()
  const { send, busy, error } = useRequests()
  const press = state.buttons.of('connectors_status')
  const stale = view !== null && view.problem !== null && view.as_of !== null
  return (
    <>
      <div className="head">
        <div className="grow">
          <h1>Connectors</h1>
          <p className="sub">
            {info.operator
              ? `Secrets go from this laptop straight to ${state.reach.name}. ` +
                'They are never shown, logged or copied by hand.'
              : 'The console shows and checks them. Connecting needs HQ on the laptop: secrets come only from there.'}
          </p>
        </div>
        <div className="head-actions">
          {stale && (
            <span className="as-of">
              <Icon name="clock" small />
              as of {timeOfDay(view.as_of ?? '')}
            </span>
          )}
          <PushButton
            icon="retry"
            blocked={whyNot(press)}
            busy={busy || checking}
            onPress={() => send(() => bridge.call('host.exec', { action: 'connectors_status' }))}
          >
            {checking ? 'Checking' : blockable('Check connectors', press)}
          </PushButton>
        </div>
      </div>
      {error !== null && <ProblemNote error={error} />}
    </>
  )
}

const blockable = (label: string, press: Parameters<typeof whyNot>[0]): string =>
  press.state === 'blocked' ? `${label}: ${press.short}` : label

/** The connector whose form is open, and the way that it starts with. */
interface Opened {
  readonly name: ConnectorName | null
  readonly mode: string | null
}

function Body({
  view,
  checking,
  first,
}: {
  view: ConnectorsView
  checking: string | null
  /** The connector that the address names. */
  first: ConnectorName | null
}): ReactElement {
  const { now } = useLive()
  const [, go] = useLocation()
  const [opened, setOpened] = useState<Opened>({ name: first, mode: null })
  const [typed, setTyped] = useState<Readonly<Record<string, Typed>>>({})
  const cards = cardsOf(view, now)
  const filled = filledOf(cards, opened.name)
  const stale = view.problem !== null
  return (
    <>
      {view.problem !== null && view.host === null && (
        <ProblemNote error={new BridgeError(view.problem)}>
          {view.problem.error_class === 'host_not_enrolled' && (
            <PushButton
              kind={opened.name === null ? 'main' : 'plain'}
              onPress={() => go('/settings')}
            >
              Open Settings
            </PushButton>
          )}
        </ProblemNote>
      )}
      <div className={stale ? 'faded' : ''}>
        <Chain cards={cards} view={view} filled={filled === null} />
        <div className={css('conns')}>
          {cards.map((card) => (
            <ConnectorCard
              key={card.name}
              card={card}
              filled={filled === card.name}
              open={opened.name === card.name}
              mode={opened.name === card.name ? opened.mode : null}
              onOpen={(open, mode) =>
                setOpened({ name: open ? card.name : null, mode: mode ?? null })
              }
              typed={typed[card.name] ?? {}}
              onTyped={(change) =>
                setTyped((all) => ({ ...all, [card.name]: change(all[card.name] ?? {}) }))
              }
              checking={checking}
            />
          ))}
        </div>
        <Phase0Card last={view.host?.last_phase0 ?? null} />
        <CheckHistory cards={cards} />
      </div>
    </>
  )
}
