import { useState, type FormEvent, type ReactElement } from 'react'
import { hostAddressProblem } from '#shared/net/host-address'
import { useHostCall } from '../../state/use-host-call.ts'
import { Field } from '../../ui/field.tsx'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './hosts.module.css'

const css = bindStyles(styles)

export interface Edited {
  readonly name: string
  readonly url: string
  /** It is enrolled already: its name or token changes. */
  readonly known: boolean
}

/** Enrols a host by its address and token, or changes name or token of one. */
export function HostEditor({
  edited,
  onClose,
}: {
  edited: Edited
  onClose: () => void
}): ReactElement {
  const [name, setName] = useState(edited.name)
  const [url, setUrl] = useState(edited.url)
  const [token, setToken] = useState('')
  const { mutate, isPending, error } = useHostCall('hosts.add')
  const sameAddress = edited.known && url === edited.url
  const problem = url.trim() === '' || sameAddress ? null : hostAddressProblem(url.trim())
  const missing = [
    name.trim() === '' ? 'name' : null,
    url.trim() === '' ? 'address' : null,
    token === '' && !edited.known ? 'token' : null,
  ].filter((field) => field !== null)
  const incomplete = missing.length === 0 ? null : `${missing.join(' and ')} missing`
  const blocked = problem === null ? incomplete : 'correct the address first'
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    if (blocked !== null) return
    mutate(
      { name: name.trim(), url: url.trim(), ...(token === '' ? {} : { token }) },
      { onSuccess: onClose },
    )
  }
  return (
    <section
      className={css('editor card')}
      aria-label={edited.known ? 'Change a host' : 'Add a host'}
    >
      <form className="form" onSubmit={onSubmit}>
        <Field label="Name" value={name} onChange={setName} placeholder="aiops-1" />
        <Field
          label="Address"
          value={url}
          onChange={setUrl}
          type="url"
          placeholder="https://aiops-1.example.ts.net"
          problem={problem}
        />
        <Field
          label="Admin token"
          value={token}
          onChange={setToken}
          type="password"
          placeholder={
            edited.known ? 'Set; type to replace it' : 'From the secrets folder of the host'
          }
        />
        <div className="row">
          <PushButton kind="main" type="submit" busy={isPending} blocked={blocked}>
            {edited.known ? 'Save host' : 'Add host'}
          </PushButton>
          <PushButton onPress={onClose}>Close</PushButton>
        </div>
        {error && <ProblemNote error={error} />}
      </form>
    </section>
  )
}
