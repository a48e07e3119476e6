import { useState, type ReactElement } from 'react'
import { useHeadingChanges } from './page-focus.ts'

/** The live region of HQ: reads out the heading of the page when what it says changes. */
export function Announcer({ page }: { page: string }): ReactElement {
  const [text, setText] = useState('')
  useHeadingChanges(page, setText)
  return (
    <p className="unseen" role="status" aria-label="What changed">
      {text}
    </p>
  )
}
