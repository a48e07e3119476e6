import { useState, type FormEvent, type ReactElement } from 'react'
import { Input, Label, TextField } from 'react-aria-components'
import { toBridgeError } from '../../bridge/bridge-error.ts'
import { Claw } from '../../ui/icons.tsx'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './entry.module.css'

const css = bindStyles(styles)

/** The sign-in page of the console. @param onToken tries the token; throws when the host does not accept it */
export function SignIn({
  onToken,
  refused,
}: {
  onToken: (token: string) => Promise<void>
  refused: boolean
}): ReactElement {
  const [token, setToken] = useState('')
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Error | null>(null)
  const submit = async (): Promise<void> => {
    setBusy(true)
    setProblem(null)
    try {
      await onToken(token.trim())
    } catch (error) {
      setProblem(toBridgeError(error))
    } finally {
      setBusy(false)
    }
  }
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    if (token.trim() !== '' && !busy) void submit()
  }
  return (
    <main className={css('entry')}>
      <form className={css('entry-card')} onSubmit={onSubmit}>
        <div className="brand">
          <Claw />
          <span>OpenClaw HQ</span>
        </div>
        <h1>
          Console of{' '}
          {location.hostname === '127.0.0.1' || location.hostname === 'localhost'
            ? 'this host'
            : location.hostname}
        </h1>
        <p className="soft">
          The host asks for its admin token. It stays in this page's memory: a reload asks again,
          and nothing is stored.
        </p>
        <TextField
          className="text-field"
          type="password"
          value={token}
          onChange={setToken}
          autoFocus
          isRequired
          autoComplete="off"
        >
          <Label>Admin token</Label>
          <Input spellCheck={false} />
        </TextField>
        {refused && !problem && (
          <p className="soft" role="status">
            The host no longer accepts the token that it accepted before.
          </p>
        )}
        {problem && <ProblemNote error={problem} />}
        <PushButton
          kind="main"
          type="submit"
          busy={busy}
          blocked={token.trim() === '' ? 'the token is empty' : null}
        >
          {busy ? 'Contacting the host' : 'Open console'}
        </PushButton>
      </form>
    </main>
  )
}
