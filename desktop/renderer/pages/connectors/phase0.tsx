import type { ReactElement } from 'react'
import { useLocation } from 'wouter'
import { actions } from '#shared/actions'
import type { ConnectorsView, Overview } from '#shared/bridge'
import type { Run } from '#shared/run'
import { inWords } from '#shared/state/connectors'
import { whyNot } from '#shared/state/buttons'
import { useActions } from '../../state/actions.tsx'
import { useLive } from '../../state/live.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { ofOverall, type Shown } from '../../text/status.ts'
import type { CardModel } from './model.ts'

/** Where Phase 0 stands. It is blocked until every connector that it needs is ready, whatever an older run found. */
export function phase0Of(
  cards: readonly CardModel[],
  { host }: ConnectorsView,
  overview: Overview,
): Shown {
  if (runningPhase0(overview) !== null) return { tone: 'running', word: 'Running' }
  if (neededBy(cards).some(({ ready }) => !ready)) return { tone: 'blocked', word: 'Blocked' }
  const last = host?.last_phase0 ?? null
  if (last === null) return { tone: 'wait', word: 'Not run yet' }
  if (last.verification === 'broken') return { tone: 'fail', word: 'Proof broken' }
  // It was run before they were ready.
  if (last.error_class === 'CONNECTOR_NOT_CONFIGURED') return { tone: 'wait', word: 'To run again' }
  return ofOverall(last.overall, last.error_class)
}

export const runningPhase0 = ({ status }: Overview): Run | null =>
  status?.active_runs.find(({ action }) => action === 'phase0') ?? null

/** The connectors that Phase 0 needs. */
export const neededBy = (cards: readonly CardModel[]): readonly CardModel[] =>
  cards.filter(({ required }) => required)

/** Starts Phase 0. It stays in its place and says how many connectors are ready. */
export function Phase0Button({
  cards,
  filled,
}: {
  cards: readonly CardModel[]
  filled: boolean
}): ReactElement {
  const { state, overview } = useLive()
  const { run, busy } = useActions()
  const [, go] = useLocation()
  const running = runningPhase0(overview)
  const press = state.buttons.of('phase0')
  const needed = neededBy(cards)
  const waiting = needed.filter(({ ready }) => !ready)
  const { button } = actions.phase0
  const missing =
    waiting.length === 0
      ? null
      : `${waiting.map(inWords).join(', ')}. Phase 0 needs ${waiting.length === 1 ? 'it' : 'them'}.`
  const says =
    waiting.length === 0
      ? button
      : `${button}: ${needed.length - waiting.length} of ${needed.length} ready`
  if (running !== null)
    return <PushButton onPress={() => go(`/runs/${running.run_id}`)}>Open the run</PushButton>
  return (
    <PushButton
      kind={filled ? 'main' : 'plain'}
      blocked={whyNot(press) ?? missing}
      busy={busy}
      onPress={() => run('phase0')}
    >
      {press.state === 'blocked' ? `${button}: ${press.short}` : says}
    </PushButton>
  )
}
