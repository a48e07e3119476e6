import { useQuery } from '@tanstack/react-query'
import type { ReactElement } from 'react'
import { Label, Radio, RadioGroup } from 'react-aria-components'
import type { SettingsView } from '#shared/bridge'
import { useActions } from '../../state/actions.tsx'
import { useHq } from '../../bridge/context.ts'
import { settingsQuery } from '../../bridge/queries.ts'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { HostForm } from './host-form.tsx'
import { Part } from './part.tsx'
import { RepositoryForm } from './repository-form.tsx'
import { ShipKeyForm } from './ship-key-form.tsx'
import { ReviewForm } from './review-form.tsx'

/** The host, the repository, the reviewer and the theme. */
export function SettingsPage(): ReactElement {
  const { bridge } = useHq()
  const { data, error } = useQuery(settingsQuery(bridge))
  return (
    <div className="page page-narrow">
      <div className="head">
        <div className="grow">
          <h1>Settings</h1>
          <p className="sub">
            They stay on this laptop. Tokens and keys are never shown again once saved.
          </p>
        </div>
      </div>
      {error && <ProblemNote error={error} />}
      {data && (
        <>
          <HostForm settings={data} />
          <ShipKeyForm />
          <RepositoryForm settings={data} />
          <ReviewForm settings={data} />
          <ThemeChoice settings={data} />
        </>
      )}
    </div>
  )
}

const themes: readonly { id: SettingsView['theme']; title: string }[] = [
  { id: 'system', title: 'As the system' },
  { id: 'light', title: 'Light' },
  { id: 'dark', title: 'Dark' },
]

function ThemeChoice({ settings }: { settings: SettingsView }): ReactElement {
  const { chooseTheme } = useActions()
  return (
    <Part title="Look" about="Light and dark carry the same contrast.">
      <RadioGroup
        className="segmented"
        value={settings.theme}
        onChange={(value) => chooseTheme(themes.find(({ id }) => id === value)?.id ?? 'system')}
      >
        <Label className="unseen">Theme</Label>
        {themes.map(({ id, title }) => (
          <Radio key={id} value={id} className="segment">
            {title}
          </Radio>
        ))}
      </RadioGroup>
    </Part>
  )
}
