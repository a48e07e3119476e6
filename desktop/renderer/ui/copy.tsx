import { useState, type ReactElement } from 'react'
import { Button } from 'react-aria-components'
import { shortCommit, shortRun } from '../text/format.ts'
import { Icon, type IconName } from './icons.tsx'
import { bindStyles } from './styles.ts'
import styles from './copy.module.css'

const css = bindStyles(styles)

const refused = 'Not copied: the browser does not allow it here'

type Done = 'copied' | 'refused' | null

function shown(
  done: Done,
  label: string,
  icon: IconName,
): { readonly icon: IconName; readonly name: string } {
  if (done === 'copied') return { icon: 'copied', name: 'Copied' }
  return done === 'refused' ? { icon: 'alert', name: refused } : { icon, name: label }
}

/** Copies a text; for a moment it shows that it did, or that the browser refused. */
export function CopyButton({
  text,
  label,
  icon: plain = 'copy',
}: {
  text: string | (() => string)
  label: string
  icon?: IconName
}): ReactElement {
  const [done, setDone] = useState<Done>(null)
  const { icon, name } = shown(done, label, plain)
  const copy = async (): Promise<void> => {
    const how = await navigator.clipboard.writeText(typeof text === 'string' ? text : text()).then(
      () => 'copied' as const,
      () => 'refused' as const,
    )
    setDone(how)
    setTimeout(() => setDone(null), how === 'copied' ? 1200 : 4000)
  }
  return (
    <Button
      className="icon-button"
      aria-label={name}
      onPress={() => {
        void copy()
      }}
    >
      <span title={done === 'refused' ? refused : label}>
        <Icon name={icon} small />
      </span>
    </Button>
  )
}

export function Commit({ id }: { id: string }): ReactElement {
  return (
    <code className="mono" title={id}>
      {shortCommit(id)}
    </code>
  )
}

/** A run id by its last eight, the whole in a copy button. */
export function RunId({ id, whole = false }: { id: string; whole?: boolean }): ReactElement {
  return (
    <span className={css('run-id')}>
      <code className="mono" title={id}>
        {whole ? id : shortRun(id)}
      </code>
      <CopyButton text={id} label={`Copy run id ${shortRun(id)}`} />
    </span>
  )
}
