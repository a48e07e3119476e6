import { useState, type ReactElement } from 'react'
import { whyNot } from '#shared/state/buttons'
import { Commit } from '../ui/copy.tsx'
import { Confirm } from '../ui/dialog.tsx'
import { PushButton } from '../ui/push-button.tsx'
import { shortCommit } from '../text/format.ts'
import { useActions } from '../state/actions.tsx'
import { useLive } from '../state/live.tsx'

/** Deploys what a rollback keeps away, and so ends its pin; after a question. @param main as the filled button */
export function DeployNewestAgain({ main = false }: { main?: boolean }): ReactElement | null {
  const { pin, buttons, serving } = useLive().state
  const { run, busy } = useActions()
  const [confirming, setConfirming] = useState(false)
  if (pin === null) return null
  return (
    <>
      <PushButton
        kind={main ? 'main' : 'plain'}
        busy={busy}
        blocked={whyNot(buttons.unpin)}
        onPress={() => setConfirming(true)}
      >
        Deploy the newest again
      </PushButton>
      <Confirm
        open={confirming}
        calm
        title={`Deploy ${shortCommit(pin.from_sha)} again?`}
        confirm="Deploy the newest"
        keep={`Stay on ${shortCommit(pin.sha)}`}
        onConfirm={() => run('deploy_and_verify', { unpin: true })}
        onClose={() => setConfirming(false)}
      >
        <p>
          It was rolled back from on purpose. Whatever origin/main holds by then is built, switched
          to and verified like any deploy, and the pin ends once it is green.
          {serving.commit !== null && (
            <>
              {' '}
              <Commit id={serving.commit} /> serves until it is up, and stays if its build fails.
            </>
          )}
        </p>
      </Confirm>
    </>
  )
}
