import { useQuery } from '@tanstack/react-query'
import type { ReactElement } from 'react'
import type { TailnetMachine } from '#shared/host-procedures'
import type { Output } from '#shared/bridge'
import { useHq } from '../../bridge/context.ts'
import { machinesQuery } from '../../bridge/queries.ts'
import { useLive } from '../../state/live.tsx'
import { span } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Age } from '../../ui/time.tsx'
import { bindStyles } from '../../ui/styles.ts'
import type { Edited } from './host-editor.tsx'
import styles from './hosts.module.css'

const css = bindStyles(styles)

/** Other machines of the tailnet, and which of them answer as hostd. */
export function Machines({ onAdd }: { onAdd: (edited: Edited) => void }): ReactElement {
  const { bridge } = useHq()
  const { data, error } = useQuery(machinesQuery(bridge))
  return (
    <section aria-label="Also in your tailnet" className={css('machines')}>
      <div className="list-head">
        <h2>Also in your tailnet</h2>
        {data && (
          <span className="quiet">
            read <Age at={data.read_at} />, every 10 s
          </span>
        )}
      </div>
      {error && <ProblemNote error={error} />}
      {!data && !error && <p className="soft">Asking Tailscale on this laptop</p>}
      {data && data.machines.length === 0 && (
        <p className="soft">{emptyTexts[data.tailnet.state]}</p>
      )}
      {data && data.machines.length > 0 && (
        <table className={css('rows')} aria-label="Machines of the tailnet">
          <tbody>
            {data.machines.map((machine) => (
              <Row key={machine.url ?? machine.name} machine={machine} onAdd={onAdd} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

/** Why no machine is listed. */
const emptyTexts: Readonly<Record<Output<'hosts.discover'>['tailnet']['state'], string>> = {
  running: 'No other machine is shown to this laptop.',
  starting: 'Tailscale is starting on this laptop.',
  stopped: 'Tailscale is off on this laptop.',
  logged_out: 'This laptop is signed out of Tailscale.',
  key_expired: 'The Tailscale key of this laptop expired.',
  needs_approval: 'This laptop waits for approval in the tailnet.',
  not_installed: 'Tailscale is not on this laptop; a host is added by its address.',
  daemon_down: 'The service of Tailscale does not run on this laptop.',
  no_answer: 'Tailscale on this laptop does not answer.',
  refused: 'Tailscale on this laptop does not let HQ read its status.',
  unreadable: 'The answer of Tailscale on this laptop cannot be read.',
}

function Row({
  machine: { name, url, os, online, path, last_seen, hostd, latency_ms },
  onAdd,
}: {
  machine: TailnetMachine
  onAdd: (edited: Edited) => void
}): ReactElement {
  const { now } = useLive()
  const gone = last_seen === null ? 'offline' : `offline for ${span(now - Date.parse(last_seen))}`
  const way = [path, latency_ms === null ? null : `${latency_ms} ms`].filter(
    (part) => part !== null,
  )
  return (
    <tr>
      <td className="strong">{visibleText(name)}</td>
      <td className="soft">{visibleText(os)}</td>
      <td className="soft">{online ? way.join(', ') || 'online' : gone}</td>
      <td className="quiet">{said(online, hostd)}</td>
      <td>
        {hostd === true && url !== null && (
          <PushButton
            small
            label={`Add as a host: ${name}`}
            onPress={() => onAdd({ name, url, known: false })}
          >
            Add as a host
          </PushButton>
        )}
      </td>
    </tr>
  )
}

function said(online: boolean, hostd: boolean | null): string {
  if (!online) return 'nothing can be asked of it'
  if (hostd === null) return 'not asked'
  return hostd ? 'hostd answers' : 'no hostd there'
}
