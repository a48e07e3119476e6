import { useState, type FormEvent, type ReactElement } from 'react'
import type { SettingsView } from '#shared/bridge'
import { useLive } from '../../state/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { addressProblemOf, HostFields, hostInput, tokenKept } from '../../ui/host-fields.tsx'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Status } from '../../ui/status.tsx'
import { useSave } from '../../state/use-save.ts'
import { Part } from './part.tsx'

const stores = {
  os: 'the system keystore',
  file: 'a file only you can read; this system offers no keystore',
  none: 'memory until HQ ends; no keystore of this system answers',
} as const

const about =
  'The host that Ship and Deploy use: its name, the address of hostd on the tailnet, ' +
  'and the admin token from its secrets folder. Hosts lists all of them.'

/** Address and admin token of the host. The token goes one way: it is never shown again. */
export function HostForm({
  settings: { host, keystore },
}: {
  settings: SettingsView
}): ReactElement {
  const { bridge } = useHq()
  const [entry, setEntry] = useState({ name: host?.name ?? '', url: host?.url ?? '', token: '' })
  const { name, url, token } = entry
  const { mutate, isPending, error, isSuccess } = useSave(async () => {
    const view = await bridge.call('settings.set_host', hostInput(entry))
    setEntry((now) => ({ ...now, token: '' }))
    return view
  })
  const changed =
    name.trim() !== (host?.name ?? '') || url.trim() !== (host?.url ?? '') || token !== ''
  const addressProblem = addressProblemOf(entry)
  const complete = name.trim() !== '' && url.trim() !== '' && addressProblem === null
  const unchanged = changed ? null : 'nothing is changed'
  const missing =
    addressProblem === null ? 'name and address are missing' : 'correct the address first'
  const blocked = complete ? unchanged : missing
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    if (blocked === null) mutate(undefined)
  }
  return (
    <Part title="Host" about={about}>
      <form className="form" onSubmit={onSubmit}>
        <HostFields
          entry={entry}
          onChange={setEntry}
          problem={addressProblem}
          tokenHint={host?.token_set ? tokenKept : 'Not set'}
          tokenNote={`Kept in ${stores[keystore]}.`}
        />
        <div className="row">
          <PushButton kind="main" type="submit" busy={isPending} blocked={blocked}>
            {isPending ? 'Saving' : 'Save host'}
          </PushButton>
          <Connection known={isSuccess || host !== null} />
        </div>
        {error && <ProblemNote error={error} />}
      </form>
    </Part>
  )
}

/** How the host is reached. @param known a host has been saved */
function Connection({ known }: { known: boolean }): ReactElement | null {
  const { state, detail } = useLive().overview.connection
  if (state === 'online') return <Status shown={{ tone: 'pass', word: 'Connected' }} />
  if (state === 'connecting') return <Status shown={{ tone: 'running', word: 'Connecting' }} />
  return known ? <span className="soft small">{detail}</span> : null
}
