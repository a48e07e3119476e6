import { useState, type ReactElement } from 'react'
import { actions } from '#shared/actions'
import { useActions } from '../../state/actions.tsx'
import { useLive } from '../../state/live.tsx'
import { Commit } from '../../ui/copy.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { shortCommit } from '../../text/format.ts'

const { button } = actions.rollback

/** Rolls back to the last green commit: the dialog names it, and the request carries exactly the shown commit. */
export function RollBack(): ReactElement | null {
  const {
    overview: { status },
    facts,
  } = useLive()
  const { run, busy } = useActions()
  const [chosen, setChosen] = useState<string | null>(null)
  const serving = status?.host.serving ?? null
  const state = status?.state ?? null
  if (serving === null || state === null) return null
  // What serves now may never have become green: then the state still names the one before.
  const to = serving === state.target_sha ? (state.rollback_to ?? null) : state.target_sha
  if (to === null) return null
  return (
    <>
      <PushButton
        busy={busy}
        blocked={facts.deployBlocked?.whole ?? null}
        onPress={() => setChosen(to)}
      >
        {button}
      </PushButton>
      <Confirm
        open={chosen !== null}
        title={`${button} to ${shortCommit(chosen ?? to)}?`}
        confirm={button}
        keep={`Keep ${shortCommit(serving)}`}
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
