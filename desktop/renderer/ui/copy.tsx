import { useState, type ReactElement } from 'react'
import { Button } from 'react-aria-components'
import { shortCommit, shortRun } from '../words/format.ts'
import { Icon } from './icons.tsx'

/** Copies a text; the check mark shows for a moment that it did, and only then. */
export function CopyButton({ text, label }: { text: string | (() => string); label: string }): ReactElement {
  const [copied, setCopied] = useState(false)
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(typeof text === 'string' ? text : text())
    setCopied(true)
    setTimeout(() => setCopied(false), 1200)
  }
  return <Button className="icon-button" aria-label={copied ? 'Copied' : label} onPress={() => { copy().catch(() => setCopied(false)) }}><span title={label}><Icon name={copied ? 'copied' : 'copy'} small /></span></Button>
}

export function Commit({ id }: { id: string }): ReactElement {
  return <code className="mono" title={id}>{shortCommit(id)}</code>
}

/** A run id by its last eight, the whole in a copy button. */
export function RunId({ id, whole = false }: { id: string; whole?: boolean }): ReactElement {
  return <span className="run-id"><code className="mono" title={id}>{whole ? id : shortRun(id)}</code><CopyButton text={id} label="Copy run id" /></span>
}
