import { useState, type FormEvent, type ReactElement } from 'react'
import type { SettingsView } from '#shared/bridge'
import { hostAddressProblem } from '#shared/net/host-address'
import { useLive } from '../../state/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { Field } from '../../ui/field.tsx'
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
  const [name, setName] = useState(host?.name ?? '')
  const [url, setUrl] = useState(host?.url ?? '')
  const [token, setToken] = useState('')
  const { mutate, isPending, error, isSuccess } = useSave(async () => {
    const view = await bridge.call('settings.set_host', {
      name: name.trim(),
      url: url.trim(),
      ...(token === '' ? {} : { token }),
    })
    setToken('')
    return view
  })
  const changed =
    name.trim() !== (host?.name ?? '') || url.trim() !== (host?.url ?? '') || token !== ''
  const addressProblem = url.trim() === '' ? null : hostAddressProblem(url.trim())
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
        <Field label="Name" value={name} onChange={setName} placeholder="aiops-1" />
        <Field
          label="Address"
          value={url}
          onChange={setUrl}
          type="url"
          placeholder="https://aiops-1.example.ts.net"
          problem={addressProblem}
        />
        <Field
          label="Admin token"
          value={token}
          onChange={setToken}
          type="password"
          placeholder={host?.token_set ? 'Set; type to replace it' : 'Not set'}
          description={`Kept in ${stores[keystore]}.`}
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
