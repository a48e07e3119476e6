import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState, type FormEvent, type ReactElement } from 'react'
import { Input, TextField } from 'react-aria-components'
import { useLive } from '../../app/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { Icon } from '../../ui/icons.tsx'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'

/** The one next action of the project: read from the repository on the laptop, from the last deploy on the console. */
export function NextActionCard(): ReactElement {
  const { info } = useHq()
  const { overview: { repository, status } } = useLive()
  const [editing, setEditing] = useState(false)
  const text = repository?.next_action ?? (repository === null ? status?.state?.next_action ?? null : null)
  const canEdit = info.operator && repository !== null
  return (
    <section className="next" aria-label="Next action">
      <div className="next-kind"><Icon name="flag" small />Next action</div>
      {editing ? <Edit text={text ?? ''} onDone={() => setEditing(false)} /> : (
        <>
          <p>{text ?? (canEdit ? 'None is set. A ship needs exactly one.' : 'None is known yet.')}</p>
          {canEdit && <PushButton small icon="edit" onPress={() => setEditing(true)}>{text === null ? 'Set it' : 'Change it'}</PushButton>}
        </>
      )}
    </section>
  )
}

function Edit({ text, onDone }: { text: string; onDone: () => void }): ReactElement {
  const { bridge } = useHq()
  const client = useQueryClient()
  const [value, setValue] = useState(text)
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => bridge.call('next.set', { text: value.trim() }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['overview'] })
      onDone()
    },
  })
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    if (value.trim() !== '') mutate()
  }
  return (
    <form className="next-edit" onSubmit={onSubmit}>
      <TextField className="text-field" aria-label="Next action" value={value} onChange={setValue} maxLength={500} autoFocus><Input /></TextField>
      <p className="quiet small">It is written to the repository and ships with the next commit.</p>
      <div className="row"><PushButton small type="submit" busy={isPending} blocked={value.trim() === '' ? 'it is empty' : null}>Save</PushButton><PushButton small kind="quiet" onPress={onDone}>Leave it</PushButton></div>
      {error && <ProblemNote error={error} />}
    </form>
  )
}
