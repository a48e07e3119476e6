import { useState, type ReactElement } from 'react'
import { useLive } from '../../state/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { Icon } from '../../ui/icons.tsx'
import { NextActionEdit } from '../../ui/next-action-edit.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './overview.module.css'

const css = bindStyles(styles)

/** The one next action of the project: read from the repository on the laptop, from the last deploy on the console. */
export function NextActionCard(): ReactElement {
  const { info } = useHq()
  const {
    overview: { repository, status },
  } = useLive()
  const [editing, setEditing] = useState(false)
  const text =
    repository?.next_action ?? (repository === null ? (status?.state?.next_action ?? null) : null)
  const canEdit = info.operator && repository !== null
  return (
    <section className={css('next')} aria-label="Next action">
      <div className="next-kind">
        <Icon name="flag" small />
        Next action
      </div>
      {editing ? (
        <NextActionEdit text={text ?? ''} onDone={() => setEditing(false)} />
      ) : (
        <>
          <p>
            {text ?? (canEdit ? 'None is set. A ship needs exactly one.' : 'None is known yet.')}
          </p>
          {canEdit && (
            <PushButton small icon="edit" onPress={() => setEditing(true)}>
              {text === null ? 'Set it' : 'Change it'}
            </PushButton>
          )}
        </>
      )}
    </section>
  )
}
