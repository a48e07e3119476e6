import { useState, type FormEvent, type ReactElement } from 'react'
import { Input, Label, TextField } from 'react-aria-components'
import type { SettingsView } from '#shared/bridge'
import { useHq } from '../../bridge/context.ts'
import { Choose } from '../../ui/choose.tsx'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { ScriptedDemo, Status } from '../../ui/status.tsx'
import type { Shown } from '../../text/status.ts'
import { useSave } from '../../state/use-save.ts'
import { Part } from './part.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './settings.module.css'

const css = bindStyles(styles)

const about =
  'Codex reviews every commit before it is pushed. ' +
  'Only providers accepted here count; a repository cannot name its own.'

/** Which accepted provider reviews, with which model, and whether its credential is there. */
export function ReviewForm({ settings: { review } }: { settings: SettingsView }): ReactElement {
  const { bridge } = useHq()
  const [provider, setProvider] = useState(review.provider)
  const [model, setModel] = useState(review.model)
  const { mutate, isPending, error } = useSave(() =>
    bridge.call('settings.set_review', { provider, model: model.trim() }),
  )
  const same = provider === review.provider && model.trim() === review.model
  const unchanged = same ? 'nothing is changed' : null
  const blocked = model.trim() === '' ? 'the model is empty' : unchanged
  const onSubmit = (event: FormEvent): void => {
    event.preventDefault()
    if (blocked === null) mutate(undefined)
  }
  return (
    <Part title="Review" about={about}>
      <ul className={css('lined-list providers')} aria-label="Accepted providers">
        {review.providers.map(({ id, label, base_url, scripted, credential }) => (
          <li key={id}>
            <span className="strong">{label}</span>
            <code className="mono quiet ellipsis" title={base_url}>
              {base_url}
            </code>
            <span className="grow" />
            {scripted && <ScriptedDemo />}
            <Status shown={credentialOf({ scripted, credential }, id === review.provider)} />
          </li>
        ))}
      </ul>
      <form className="form" onSubmit={onSubmit}>
        <Choose
          wide
          label="Provider"
          value={provider}
          options={review.providers.map(({ id, label }) => ({ id, title: label }))}
          onChange={setProvider}
        />
        <TextField className="text-field" value={model} onChange={setModel}>
          <Label>Model</Label>
          <Input className="mono" spellCheck={false} />
        </TextField>
        <div className="row">
          <PushButton type="submit" busy={isPending} blocked={blocked}>
            Save review
          </PushButton>
        </div>
        {error && <ProblemNote error={error} />}
      </form>
    </Part>
  )
}

type Provider = SettingsView['review']['providers'][number]

function credentialOf(
  { scripted, credential }: Pick<Provider, 'scripted' | 'credential'>,
  chosen: boolean,
): Shown {
  if (scripted) return { tone: 'pass', word: 'Needs no credential' }
  if (credential === 'present') return { tone: 'pass', word: 'Credential present' }
  return { tone: chosen ? 'you' : 'skip', word: 'Credential missing' }
}
