import { useState, type ReactElement, type ReactNode } from 'react'
import type { HostView } from '#shared/host-procedures'
import { composeOverview } from '#shared/overview'
import { reachedAs } from '#shared/state/hosts'
import { stateOf, type State } from '#shared/state/state'
import { useLive } from '../../state/live.tsx'
import { useHostCall } from '../../state/use-host-call.ts'
import { shortCommit, span, timeOfDay } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { Confirm } from '../../ui/dialog.tsx'
import { Mark } from '../../ui/icons.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Age } from '../../ui/time.tsx'
import { bindStyles } from '../../ui/styles.ts'
import type { Edited } from './host-editor.tsx'
import styles from './hosts.module.css'

const css = bindStyles(styles)

/** A key that expires within so many days is marked. */
const soonDays = 14
const dayMs = 86_400_000

interface Props {
  readonly hosts: readonly HostView[]
  /** Address of the host whose diagnosis stands below. */
  readonly shown: string | null
  readonly onShow: (url: string) => void
  readonly onEdit: (edited: Edited) => void
}

/** Every enrolled host in one row, so that hosts compare. */
export function HostTable({ hosts, shown, onShow, onEdit }: Props): ReactElement {
  const [removed, setRemoved] = useState<HostView | null>(null)
  const remove = useHostCall('hosts.remove')
  return (
    <>
      <table className={css('rows hosts')} aria-label="Hosts">
        <thead>
          <tr>
            <th>Host</th>
            <th>Serves</th>
            <th>Gates</th>
            <th>Path</th>
            <th className="hide-narrow">Key expires</th>
            <th className="hide-narrow">hostd</th>
            <th>
              <span className="unseen">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {hosts.map((host) => (
            <Row
              key={host.url}
              host={host}
              shown={host.url === shown}
              onShow={() => onShow(host.url)}
              onEdit={() => onEdit({ name: host.name, url: host.url, known: true })}
              onRemove={() => setRemoved(host)}
              others={hosts.length > 1}
            />
          ))}
        </tbody>
      </table>
      <Confirm
        open={removed !== null}
        title={`Remove ${visibleText(removed?.name ?? '')} from HQ`}
        confirm="Remove"
        keep="Keep it"
        onClose={() => setRemoved(null)}
        onConfirm={() => {
          if (removed !== null) remove.mutate({ url: removed.url })
        }}
      >
        <p>
          HQ forgets its address, its pinned node key and its token. Nothing changes on the host,
          and proofs that are kept here stay.
        </p>
      </Confirm>
    </>
  )
}

interface RowProps {
  readonly host: HostView
  readonly shown: boolean
  readonly others: boolean
  readonly onShow: () => void
  readonly onEdit: () => void
  readonly onRemove: () => void
}

function Row({ host, shown, others, onShow, onEdit, onRemove }: RowProps): ReactElement {
  const { now } = useLive()
  const { connection, status, selected } = host
  const { tone, word } = reachedAs(connection, now)
  const state = useStateOf(host)
  return (
    <tr aria-selected={shown}>
      <td>
        <button type="button" className={css('host-name')} onClick={onShow}>
          <Mark tone={tone} />
          <span className="strong ellipsis">{visibleText(host.name)}</span>
          <span className="unseen">, {word}</span>
        </button>
        <Second>{connection.tailnet?.address ?? host.url.replace(/^https?:\/\//, '')}</Second>
      </td>
      <td>
        {state.serving.commit === null ? (
          <span className="quiet">nothing yet</span>
        ) : (
          <code className="mono">{shortCommit(state.serving.commit)}</code>
        )}
        <Second>
          {state.reach.stale && connection.as_of !== null
            ? `as of ${timeOfDay(connection.as_of)}`
            : (status?.host.engine ?? '')}
        </Second>
      </td>
      <td>
        <Gates state={state} status={status} />
      </td>
      <td>
        <Path host={host} />
      </td>
      <td className="hide-narrow">
        <Key host={host} now={now} />
      </td>
      <td className="hide-narrow">{status?.host.version ?? ''}</td>
      <td>
        <Actions {...{ host, selected, others, onEdit, onRemove }} />
      </td>
    </tr>
  )
}

const Second = ({ children }: { children: ReactNode }): ReactElement => (
  <span className={css('second')}>{children}</span>
)

/** What one host alone says of itself; that of the selected one is the state of HQ. */
function useStateOf({ connection, status, selected }: HostView): State {
  const { state, now } = useLive()
  if (selected) return state
  const facts = { connection, status, deploy: null, passedRuns: [], laptop: null }
  return stateOf({ overview: composeOverview(facts), now, cut: false })
}

function Gates({ state, status }: { state: State; status: HostView['status'] }): ReactElement {
  const { gates } = state.change
  const passed = gates.filter((gate) => gate.state === 'pass').length
  const at = status?.last_deploy.result?.finished_at ?? null
  return (
    <>
      <span
        className={css(`gates ${state.reach.stale ? 'faded' : ''}`)}
        role="img"
        aria-label={`${passed} of ${gates.length} gates passed`}
      >
        {gates.map((gate) => (
          <i key={gate.name} className={gate.state} />
        ))}
      </span>
      <Second>
        {passed} of {gates.length}
        {at !== null && (
          <>
            , <Age at={at} />
          </>
        )}
      </Second>
    </>
  )
}

function Path({ host: { connection } }: { host: HostView }): ReactElement {
  const { state, tailnet, latency_ms, diagnosis } = connection
  const latency = latency_ms === null ? '' : `${Math.round(latency_ms)} ms`
  if (state !== 'online')
    return (
      <>
        <Marked tone="wait">No answer</Marked>
        <Second>{tailnet?.online === false ? 'offline in the tailnet' : ''}</Second>
      </>
    )
  if (tailnet?.path === 'relayed')
    return (
      <>
        <Marked tone="warn">Relayed{tailnet.relay === null ? '' : `, ${tailnet.relay}`}</Marked>
        <Second>{latency}, no direct path</Second>
      </>
    )
  const word = tailnet?.path === 'direct' ? 'Direct' : 'Connected'
  return (
    <>
      {diagnosis ? <Marked tone="warn">{word}</Marked> : word}
      <Second>{latency}</Second>
    </>
  )
}

const Marked = ({
  tone,
  children,
}: {
  tone: 'warn' | 'wait' | 'fail'
  children: ReactNode
}): ReactElement => (
  <span className={css(`marked ${tone}`)}>
    <Mark tone={tone} small />
    {children}
  </span>
)

function Key({ host, now }: { host: HostView; now: number }): ReactElement {
  const { tailnet } = host.connection
  const pinned = host.pinned_at === null ? '' : 'node key pinned'
  if (!tailnet) return <span className="quiet">not in a tailnet</span>
  if (tailnet.key_expired)
    return (
      <>
        <Marked tone="fail">expired</Marked>
        <Second>{tailnet.key_expires === null ? pinned : <Age at={tailnet.key_expires} />}</Second>
      </>
    )
  if (tailnet.key_expires === null)
    return (
      <>
        never
        <Second>{pinned}</Second>
      </>
    )
  const left = Date.parse(tailnet.key_expires) - now
  const text = `in ${span(left)}`
  return (
    <>
      {left < soonDays * dayMs ? <Marked tone="warn">{text}</Marked> : text}
      <Second>{pinned}</Second>
    </>
  )
}

function Actions({
  host,
  selected,
  others,
  onEdit,
  onRemove,
}: Pick<RowProps, 'host' | 'others' | 'onEdit' | 'onRemove'> & {
  selected: boolean
}): ReactElement {
  const { mutate, isPending } = useHostCall('hosts.select')
  const inUse = selected && others ? 'Ship and Deploy use it; select another one first' : null
  return (
    <span className={css('actions')}>
      {selected ? (
        <span className="quiet small">selected</span>
      ) : (
        <PushButton
          small
          busy={isPending}
          label={`Select ${host.name}`}
          onPress={() => mutate({ url: host.url })}
        >
          Select
        </PushButton>
      )}
      <PushButton small kind="quiet" icon="edit" label={`Change ${host.name}`} onPress={onEdit}>
        Change
      </PushButton>
      <PushButton
        small
        kind="quiet-danger"
        label={`Remove ${host.name}`}
        blocked={inUse}
        onPress={onRemove}
      >
        Remove
      </PushButton>
    </span>
  )
}
