import type { ReactElement, ReactNode } from 'react'
import type { ProofState } from '#shared/proof'
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

const proofs: Record<ProofState, { readonly shown: Shown; readonly title: string }> = {
  verified: {
    shown: { tone: 'pass', word: 'verified' },
    title:
      'Every file is the one that was sealed, and the signature is by a key that the host believes.',
  },
  unverified: {
    shown: { tone: 'warn', word: 'unverified' },
    title: 'It was not sealed, or there is no key to check its signature with.',
  },
  broken: {
    shown: { tone: 'fail', word: 'broken' },
    title: 'It is not what was sealed: hq proof verify names what is wrong.',
  },
}

/** What the host found when it checked a bundle. */
export function Proof({ state }: { state: ProofState }): ReactElement {
  const { shown, title } = proofs[state]
  return (
    <span className={`chip ${shown.tone}`} title={title}>
      <Mark tone={shown.tone} small />
      {shown.word}
    </span>
  )
}

export function Unverified(): ReactElement {
  return (
    <span className="chip plain" title="No signature was checked.">
      unverified
    </span>
  )
}
