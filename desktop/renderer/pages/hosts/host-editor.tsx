import { useState, type FormEvent, type ReactElement } from 'react'
import { addressProblemOf, HostFields, hostInput, tokenKept } from '../../ui/host-fields.tsx'
import { useHostCall } from '../../state/use-host-call.ts'
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
  const [entry, setEntry] = useState({ name: edited.name, url: edited.url, token: '' })
  const { mutate, isPending, error } = useHostCall('hosts.add')
  const sameAddress = edited.known && entry.url === edited.url
  const problem = sameAddress ? null : addressProblemOf(entry)
  const missing = [
    entry.name.trim() === '' ? 'name' : null,
    entry.url.trim() === '' ? 'address' : null,
    entry.token === '' && !edited.known ? 'token' : null,
  ].filter((field) => field !== null)
  const incomplete = missing.length === 0 ? null : `${missing.join(' and ')} missing`
  const blocked = problem === null ? incomplete : 'correct the address first'
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    if (blocked !== null) return
    mutate(hostInput(entry), { onSuccess: onClose })
  }
  return (
    <section
      className={css('editor card')}
      aria-label={edited.known ? 'Change a host' : 'Add a host'}
    >
      <form className="form" onSubmit={onSubmit}>
        <HostFields
          entry={entry}
          onChange={setEntry}
          problem={problem}
          tokenHint={edited.known ? tokenKept : 'From the secrets folder of the host'}
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
