import { useState, type FormEvent, type ReactElement } from 'react'
import { Input, Label, TextField } from 'react-aria-components'
import type { SettingsView } from '#shared/bridge'
import { useHq } from '../../bridge/context.ts'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { useSave } from '../../state/use-save.ts'
import { Part } from './part.tsx'

/** The repository that Ship works on. */
export function RepositoryForm({
  settings: { repository },
}: {
  settings: SettingsView
}): ReactElement {
  const { bridge } = useHq()
  const [path, setPath] = useState(repository ?? '')
  const { mutate, isPending, error } = useSave(() =>
    bridge.call('settings.set_repository', { path: path.trim() }),
  )
  const unchanged = path.trim() === repository ? 'nothing is changed' : null
  const blocked = path.trim() === '' ? 'the path is empty' : unchanged
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    if (blocked === null) mutate(undefined)
  }
  return (
    <Part
      title="Repository"
      about="The clone on this laptop that Ship tests, has reviewed and pushes from."
    >
      <form className="form" onSubmit={onSubmit}>
        <TextField className="text-field" value={path} onChange={setPath}>
          <Label>Folder</Label>
          <Input className="mono" placeholder="/home/me/ai-ops-runner" spellCheck={false} />
        </TextField>
        <div className="row">
          <PushButton type="submit" busy={isPending} blocked={blocked}>
            Save repository
          </PushButton>
        </div>
        {error && <ProblemNote error={error} />}
      </form>
    </Part>
  )
}
