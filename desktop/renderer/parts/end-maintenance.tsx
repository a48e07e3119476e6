import { useState, type ReactElement } from 'react'
import { actions } from '#shared/actions'
import type { MaintenanceState } from '#shared/api'
import { whyNot } from '#shared/state/buttons'
import { personName, personsMaintenance } from '#shared/maintenance'
import { Confirm } from '../ui/dialog.tsx'
import { PushButton } from '../ui/push-button.tsx'
import { shortCommit, shortRun } from '../text/format.ts'
import { visibleText } from '../text/visible-text.ts'
import { useActions } from '../state/actions.tsx'
import { useLive } from '../state/live.tsx'

const { button } = actions.maintenance_clear

/**
 * Ends maintenance that no deploy holds any more, after a question. A green deploy ends it without this.
 * @param main as the filled button
 */
export function EndMaintenance({ main = false }: { main?: boolean }): ReactElement | null {
  const {
    overview: { status },
    state,
  } = useLive()
  const { run, busy } = useActions()
  const [confirming, setConfirming] = useState(false)
  if (status?.maintenance.on !== true || state.maintenance.held === 'run') return null
  const { serving } = status.host
  return (
    <>
      <PushButton
        small={!main}
        kind={main ? 'main' : 'plain'}
        busy={busy}
        blocked={whyNot(state.buttons.end_maintenance)}
        onPress={() => setConfirming(true)}
      >
        {button}
      </PushButton>
      <Confirm
        open={confirming}
        title={`${button} on ${state.reach.name}?`}
        confirm={button}
        keep="Leave it on"
        onConfirm={() => run('maintenance_clear')}
        onClose={() => setConfirming(false)}
      >
        <p>
          {reasonOf(status.maintenance)} The file is removed, doctor runs by its timer again, and
          guard repairs again.{' '}
          {serving === null
            ? 'No version is running on the host.'
            : `${shortCommit(serving)} keeps serving.`}
        </p>
      </Confirm>
    </>
  )
}

function reasonOf(maintenance: MaintenanceState): string {
  const { file } = maintenance
  if (file === null) return 'Its file cannot be read, so nobody knows what it protects.'
  const person = personsMaintenance(maintenance)
  if (person === null)
    return `Deploy ${shortRun(file.deploy_run_id ?? '')} left it on because it failed.`
  return `Put on by ${visibleText(personName(person))}: ${visibleText(person.reason ?? '')}.`
}
