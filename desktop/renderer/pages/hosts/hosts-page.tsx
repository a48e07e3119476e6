import { useQuery } from '@tanstack/react-query'
import { useState, type ReactElement } from 'react'
import type { HostView } from '#shared/host-procedures'
import { useHq } from '../../bridge/context.ts'
import { hostsQuery } from '../../bridge/queries.ts'
import { DiagnosisCard } from '../../parts/diagnosis.tsx'
import { useLive } from '../../state/live.tsx'
import { count } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { ChangedIdentity } from './changed-identity.tsx'
import { HostEditor, type Edited } from './host-editor.tsx'
import { HostTable } from './host-table.tsx'
import { Machines } from './machines.tsx'

/** The enrolled hosts, why one of them cannot be reached, and what else is in the tailnet. */
export function HostsPage(): ReactElement {
  const { bridge } = useHq()
  const { data, error } = useQuery(hostsQuery(bridge))
  const [edited, setEdited] = useState<Edited | null>(null)
  const [chosen, setChosen] = useState<string | null>(null)
  const hosts = data?.hosts ?? []
  const shown = shownOf(hosts, chosen)
  return (
    <div className="page">
      <Head onAdd={() => setEdited({ name: '', url: '', known: false })} />
      {error && <ProblemNote error={error} />}
      {edited !== null && (
        <HostEditor key={edited.url} edited={edited} onClose={() => setEdited(null)} />
      )}
      {hosts.length > 0 && (
        <HostTable hosts={hosts} shown={shown?.url ?? null} onShow={setChosen} onEdit={setEdited} />
      )}
      {shown?.connection.diagnosis && (
        <Diagnosed key={shown.url} host={shown} onEdit={setEdited} main={edited === null} />
      )}
      <Machines onAdd={setEdited} />
    </div>
  )
}

/** The chosen host, else the first that has a diagnosis. */
const shownOf = (hosts: readonly HostView[], chosen: string | null): HostView | null =>
  hosts.find(({ url }) => url === chosen) ??
  hosts.find(({ connection }) => connection.diagnosis) ??
  null

function Head({ onAdd }: { onAdd: () => void }): ReactElement {
  const { hosts } = useLive().state
  const answering = hosts.filter(({ tone }) => tone === 'pass' || tone === 'warn').length
  const selected = hosts.find((host) => host.selected)
  const wrong = hosts.find(({ why }) => why !== null)
  const title =
    hosts.length === 0
      ? 'No host is enrolled'
      : `${answering} of ${count(hosts.length, 'host')} ${hosts.length === 1 ? 'answers' : 'answer'}`
  const parts = [
    wrong?.why ? `${wrong.why}.` : null,
    selected ? `${selected.name} is the one that Ship and Deploy use.` : null,
  ].filter((part) => part !== null)
  return (
    <div className="head">
      <div className="grow">
        <h1>{title}</h1>
        <p className="sub">
          {visibleText(
            parts.length === 0 ? 'A machine of the tailnet becomes one below.' : parts.join(' '),
          )}
        </p>
      </div>
      <PushButton icon="hosts" onPress={onAdd}>
        Add a host by address
      </PushButton>
    </div>
  )
}

function Diagnosed({
  host,
  main,
  onEdit,
}: {
  host: HostView
  main: boolean
  onEdit: (edited: Edited) => void
}): ReactElement | null {
  const [comparing, setComparing] = useState(false)
  const { diagnosis, as_of } = host.connection
  if (!diagnosis) return null
  const { change } = diagnosis
  return (
    <>
      <DiagnosisCard
        host={host}
        diagnosis={diagnosis}
        asOf={as_of}
        main={main}
        onWindow={(kind) => {
          if (kind === 'agree') setComparing(true)
          else onEdit({ name: host.name, url: host.url, known: true })
        }}
      />
      {change !== null && (
        <ChangedIdentity
          host={host}
          change={change}
          open={comparing}
          onClose={() => setComparing(false)}
        />
      )}
    </>
  )
}
