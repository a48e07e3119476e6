import type { ReactElement, ReactNode } from 'react'
import type { Shown } from '../text/status.ts'
import { Icon, Mark } from './icons.tsx'

/** Icon, word and colour of a state, always all three. */
export function Status({ shown, children }: { shown: Shown; children?: ReactNode }): ReactElement {
  return (
    <span className={`status ${shown.tone}`}>
      <Mark tone={shown.tone} />
      <b>{shown.word}</b>
      {children}
    </span>
  )
}

export function Chip({ shown }: { shown: Shown }): ReactElement {
  return (
    <span className={`chip ${shown.tone}`}>
      <Mark tone={shown.tone} small />
      {shown.word}
    </span>
  )
}

/** Stands wherever a verdict of a scripted demo provider is shown. */
export function ScriptedDemo(): ReactElement {
  return (
    <span
      className="chip plain demo-chip"
      title="The review answer came from the demo's script, not from a model."
    >
      <Icon name="demo" small />
      scripted (demo)
    </span>
  )
}
