import { useState, type ReactElement } from 'react'
import { actions } from '#shared/actions'
import { whyNot } from '#shared/state/buttons'
import { useActions } from '../../state/actions.tsx'
import { useLive } from '../../state/live.tsx'
import { Commit } from '../../ui/copy.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { shortCommit } from '../../text/format.ts'

const { button } = actions.rollback

/** Rolls back to the last green commit: the dialog names it, and the request carries exactly the shown commit. */
export function RollBack(): ReactElement | null {
  const { state } = useLive()
  const { run, busy } = useActions()
  const [chosen, setChosen] = useState<string | null>(null)
  const { rollbackTo: to, serving } = state
  if (to === null || serving.commit === null) return null
  return (
    <>
      <PushButton
        busy={busy}
        blocked={whyNot(state.buttons.rollback)}
        onPress={() => setChosen(to)}
      >
        {button}
      </PushButton>
      <Confirm
        open={chosen !== null}
        title={`${button} to ${shortCommit(chosen ?? to)}?`}
        confirm={button}
        keep={`Keep ${shortCommit(serving.commit)}`}
        onConfirm={() => {
          if (chosen !== null) run('rollback', { to: chosen })
        }}
        onClose={() => setChosen(null)}
      >
        <Commit id={chosen ?? to} /> was green and serves again after the same steps as any deploy.
        It stays pinned until the next ship; hostd keeps its version.
      </Confirm>
    </>
  )
}
