import { useState, type ReactElement } from 'react'
import { Button } from 'react-aria-components'
import { shortCommit, shortRun } from '../text/format.ts'
import { Icon, type IconName } from './icons.tsx'
import { PushButton } from './push-button.tsx'
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

/** Copies a text; for a moment it says that it did, or that the browser refused. */
function useCopy(text: string | (() => string)): { done: Done; copy: () => void } {
  const [done, setDone] = useState<Done>(null)
  const copy = async (): Promise<void> => {
    const how = await navigator.clipboard.writeText(typeof text === 'string' ? text : text()).then(
      () => 'copied' as const,
      () => 'refused' as const,
    )
    setDone(how)
    setTimeout(() => setDone(null), how === 'copied' ? 1200 : 4000)
  }
  return { done, copy: () => void copy() }
}

/** Copies a text, as an icon. */
export function CopyButton({
  text,
  label,
  icon: plain = 'copy',
}: {
  text: string | (() => string)
  label: string
  icon?: IconName
}): ReactElement {
  const { done, copy } = useCopy(text)
  const { icon, name } = shown(done, label, plain)
  return (
    <Button className="icon-button" aria-label={name} onPress={copy}>
      <span title={done === 'refused' ? refused : label}>
        <Icon name={icon} small />
      </span>
    </Button>
  )
}

/** The same as a button with its words. */
export function CopyText({
  text,
  label,
  filled,
}: {
  text: string
  label: string
  filled: boolean
}): ReactElement {
  const { done, copy } = useCopy(text)
  const { icon, name } = shown(done, label, 'copy')
  return (
    <PushButton small icon={icon} kind={filled ? 'main' : 'plain'} onPress={copy}>
      {name}
    </PushButton>
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
