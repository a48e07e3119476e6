import { useState, type ReactElement } from 'react'
import { useHq } from '../../bridge/context.ts'
import { useLive } from '../../state/live.tsx'
import { NextActionEdit } from '../../ui/next-action-edit.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { shortCommit } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './overview.module.css'

const css = bindStyles(styles)

/** What the repository plans next, in its own words: read on the laptop, on the console from the last deploy. */
export function PlanSection(): ReactElement {
  const { info } = useHq()
  const {
    overview: { repository, status },
  } = useLive()
  const [editing, setEditing] = useState(false)
  const text = repository === null ? (status?.state?.next_action ?? null) : repository.next_action
  const commit = repository === null ? (status?.state?.target_sha ?? null) : repository.head
  const canEdit = info.operator && repository !== null
  const none = canEdit ? 'None is set. A ship needs exactly one.' : 'None is known yet.'
  return (
    <section className={css('sec')} aria-label="Plan of the repository">
      <div className={css('sec-head')}>
        <h2>Plan of the repository</h2>
        {canEdit && !editing && (
          <PushButton small kind="quiet" icon="edit" onPress={() => setEditing(true)}>
            {text === null ? 'Set it' : 'Change it'}
          </PushButton>
        )}
      </div>
      {editing ? (
        <NextActionEdit text={text ?? ''} onDone={() => setEditing(false)} />
      ) : (
        <p className={css('plan')}>{text === null ? none : visibleText(text)}</p>
      )}
      <p className="quiet small ellipsis">
        <code className="mono">docs/OPENCLAW_NEXT.md</code>
        {commit === null ? '' : ` at ${shortCommit(commit)}`}
      </p>
    </section>
  )
}
