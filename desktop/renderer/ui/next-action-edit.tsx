import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactElement } from 'react'
import { Input, TextField } from 'react-aria-components'
import { useHq } from '../bridge/context.ts'
import { ProblemNote } from './problem-note.tsx'
import { PushButton } from './push-button.tsx'
import { bindStyles } from './styles.ts'
import styles from './next-action-edit.module.css'

const css = bindStyles(styles)

interface Props {
  readonly text: string
  /** Saved as a separate commit, for the ship that follows; else left in the working tree. */
  readonly commit?: boolean
  /** Why it cannot be saved now. */
  readonly blocked?: string | null
  readonly onDone: () => void
}

/** Edits the one next action of the repository. */
export function NextActionEdit({
  text,
  commit = false,
  blocked = null,
  onDone,
}: Props): ReactElement {
  const { bridge } = useHq()
  const client = useQueryClient()
  const [value, setValue] = useState(text)
  const { mutate, isPending, error } = useMutation({
    mutationFn: () =>
      bridge.call('next.set', { text: value.trim(), ...(commit ? { commit } : {}) }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['overview'] })
      onDone()
    },
  })
  const why = blocked ?? (value.trim() === '' ? 'it is empty' : null)
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    if (why === null) mutate()
  }
  return (
    <form className={css('next-edit')} onSubmit={onSubmit}>
      <TextField
        className="text-field"
        aria-label="Next action"
        value={value}
        onChange={setValue}
        maxLength={500}
        autoFocus
      >
        <Input />
      </TextField>
      <p className="quiet small">{noteOf(blocked, commit)}</p>
      <div className="row">
        <PushButton small type="submit" busy={isPending} blocked={why}>
          {commit ? 'Commit it' : 'Save'}
        </PushButton>
        <PushButton small kind="quiet" onPress={onDone}>
          Leave it
        </PushButton>
      </div>
      {error && <ProblemNote error={error} />}
    </form>
  )
}

function noteOf(blocked: string | null, commit: boolean): string {
  if (blocked !== null) return `It cannot be committed now: ${blocked}.`
  return commit
    ? 'It becomes a small commit on top of yours; the next ship holds it.'
    : 'It is written to the repository and ships with the next commit.'
}
