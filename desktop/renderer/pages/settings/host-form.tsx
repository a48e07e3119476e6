import { useState, type FormEvent, type ReactElement } from 'react'
import { Input, Label, Text, TextField } from 'react-aria-components'
import type { SettingsView } from '#shared/bridge'
import { useLive } from '../../state/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Status } from '../../ui/status.tsx'
import { useSave } from '../../state/use-save.ts'
import { Part } from './part.tsx'

const stores = {
  os: 'the system keystore',
  file: 'a file only you can read; this system offers no keystore',
  none: 'memory until HQ ends; this system offers no keystore',
} as const

/** Address and admin token of the host. The token goes one way: it is never shown again. */
export function HostForm({
  settings: { host, keystore },
}: {
  settings: SettingsView
}): ReactElement {
  const { bridge } = useHq()
  const {
    overview: { connection },
  } = useLive()
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
  const blocked =
    name.trim() === '' || !URL.canParse(url.trim())
      ? 'name and address are needed'
      : changed
        ? null
        : 'nothing is changed'
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    if (blocked === null) mutate(undefined)
  }
  return (
    <Part
      title="Host"
      about="The one production host: its name, the address of hostd on the tailnet, and the admin token from its secrets folder."
    >
      <form className="form" onSubmit={onSubmit}>
        <TextField className="text-field" value={name} onChange={setName} autoComplete="off">
          <Label>Name</Label>
          <Input placeholder="aiops-1" spellCheck={false} />
        </TextField>
        <TextField
          className="text-field"
          value={url}
          onChange={setUrl}
          type="url"
          autoComplete="off"
        >
          <Label>Address</Label>
          <Input placeholder="https://aiops-1.example.ts.net" spellCheck={false} />
        </TextField>
        <TextField
          className="text-field"
          value={token}
          onChange={setToken}
          type="password"
          autoComplete="off"
        >
          <Label>Admin token</Label>
          <Input
            placeholder={host?.token_set ? 'Set; type to replace it' : 'Not set'}
            spellCheck={false}
          />
          <Text slot="description">Kept in {stores[keystore]}.</Text>
        </TextField>
        <div className="row">
          <PushButton kind="main" type="submit" busy={isPending} blocked={blocked}>
            {isPending ? 'Saving' : 'Save host'}
          </PushButton>
          {connection.state === 'online' ? (
            <Status shown={{ tone: 'pass', word: 'Connected' }} />
          ) : connection.state === 'connecting' ? (
            <Status shown={{ tone: 'running', word: 'Connecting' }} />
          ) : isSuccess || host ? (
            <span className="soft small">{connection.detail}</span>
          ) : null}
        </div>
        {error && <ProblemNote error={error} />}
      </form>
    </Part>
  )
}
