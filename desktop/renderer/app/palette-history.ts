/** What the palette finds of the past (runs, ships, commits), and the pages whose buttons it does not press itself. */
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useLocation } from 'wouter'
import { actions } from '#shared/actions'
import type { Overview, ShipSummary } from '#shared/bridge'
import { connectorNames, connectors } from '#shared/connectors/list'
import type { Run } from '#shared/run'
import { useHq } from '../bridge/context.ts'
import { runsQuery, shipsQuery } from '../bridge/queries.ts'
import { age, shortCommit, shortRun, startOfRun } from '../text/format.ts'
import { ofOverall, ofRun } from '../text/status.ts'
import { visibleText } from '../text/visible-text.ts'
import { titleOfRun } from '../state/run.ts'
import { runIdFrom } from '../state/run-id.ts'
import { useLive } from '../state/live.tsx'
import type { PaletteItem } from './palette-item.ts'

/** Runs and commits that are listed before anything is typed. */
const listed = 8

type Go = (path: string) => void

/** The runs that are active, then the newest; once something is typed, every run and ship that HQ has read. */
export function useRunItems(typed: string): PaletteItem[] {
  const { now, overview } = useLive()
  const [, go] = useLocation()
  const { runs, ships } = useHistory(overview)
  const items = [
    ...runs.map((each) => runItem(each, now, go)),
    ...(typed === '' ? [] : ships.map((each) => shipItem(each, now, go))),
  ]
  const asked = runIdFrom(typed)
  if (asked !== null && !items.some(({ id }) => id === asked))
    items.unshift({
      id: asked,
      title: `Open run ${asked}`,
      icon: 'runs',
      run: () => go(`/runs/${asked}`),
    })
  return typed === '' ? items.slice(0, listed) : items
}

function useHistory({ status }: Overview): { runs: Run[]; ships: ShipSummary[] } {
  const { bridge, info } = useHq()
  const ships = useQuery({ ...shipsQuery(bridge, false), enabled: info.operator }).data?.ships ?? []
  const older =
    useInfiniteQuery(runsQuery(bridge, {})).data?.pages.flatMap(({ runs }) => runs) ?? []
  const all = [...(status?.active_runs ?? []), ...(status?.recent_deploys ?? []), ...older]
  return {
    runs: [...new Map(all.toReversed().map((each) => [each.run_id, each])).values()].toReversed(),
    ships,
  }
}

const runItem = (each: Run, now: number, go: Go): PaletteItem => ({
  id: each.run_id,
  title: `${titleOfRun(each)} ${shortRun(each.run_id)}`,
  searchText: `${each.run_id} ${each.error_class ?? ''} ${each.status}`,
  icon: 'runs',
  tone: ofRun(each.status, each.error_class).tone,
  end: each.error_class ?? age(now - Date.parse(each.requested_at)),
  run: () => go(`/runs/${each.run_id}`),
})

const shipItem = ({ run_id, result }: ShipSummary, now: number, go: Go): PaletteItem => ({
  id: run_id,
  title: `Ship ${shortRun(run_id)}`,
  searchText: `${run_id} ${result?.git_head ?? ''} ${result?.error_class ?? ''}`,
  icon: 'ship',
  ...(result ? { tone: ofOverall(result.overall, result.error_class).tone } : {}),
  end: result?.error_class ?? age(now - startOfRun(run_id)),
  run: () => go(`/ship/${run_id}`),
})

/** Every commit that laptop or host names: found by its id or subject, it leads to the page that says most of it. */
export function useCommitItems(typed: string): PaletteItem[] {
  const { overview, state } = useLive()
  const { ships } = useHistory(overview)
  const [, go] = useLocation()
  const found = new Map<string, { says: string; path: string }>()
  const note = (commit: string | null | undefined, says: string, path: string): void => {
    if (commit && !found.has(commit)) found.set(commit, { says, path })
  }
  const { repository, status } = overview
  const { lastDeploy, serving, change } = state
  note(serving.commit, 'serves', '/deploy')
  note(change.commit, 'the newest change', '/')
  note(repository?.head, visibleText(repository?.subject ?? 'checked out'), '/ship')
  note(status?.state?.target_sha, 'the target of the host', '/deploy')
  note(
    lastDeploy?.target_sha,
    'last deployed',
    lastDeploy === null ? '/deploy' : `/runs/${lastDeploy.run_id}`,
  )
  for (const { run_id, result } of ships)
    note(result?.git_head, `ship ${shortRun(run_id)}`, `/ship/${run_id}`)
  note(repository?.remote, 'origin/main', '/ship')
  const items = [...found].map(([commit, { says, path }]): PaletteItem => ({
    id: `commit ${commit}`,
    title: `Commit ${shortCommit(commit)}`,
    searchText: `${commit} ${says}`,
    icon: 'ship',
    end: says,
    run: () => go(path),
  }))
  return typed === '' ? [] : items
}

/** Actions that ask a question first, or need a choice: the palette leads to their button. */
export function useButtonItems(): PaletteItem[] {
  const { state } = useLive()
  const { info } = useHq()
  const [, go] = useLocation()
  const lead = (title: string, searchText: string, path: string): PaletteItem => ({
    id: `button ${title}`,
    title: `${title}…`,
    searchText,
    icon: 'right',
    run: () => go(path),
  })
  return [
    lead(actions.rollback.button, 'rollback undo revert previous version', '/deploy'),
    ...(state.maintenance.on ? [lead(actions.maintenance_clear.button, 'clear off', '/')] : []),
    ...(state.deploy
      ? [lead('Cancel the deploy', 'stop abort', `/runs/${state.deploy.run_id}`)]
      : []),
    ...(state.ship ? [lead('Cancel the ship', 'stop abort', `/ship/${state.ship.runId}`)] : []),
    ...(info.operator
      ? [
          ...connectorNames.map((name) =>
            lead(`Connect ${connectors[name].title}`, 'sign in again', `/connectors/${name}`),
          ),
          lead('Enrol or revoke a ship key', 'trust distrust', '/settings'),
          lead('Edit the next action', 'plan', '/'),
          lead('Change host or token', 'enrol address', '/settings'),
        ]
      : []),
    lead('Check the proofs again', 'verify evidence seal bundle', '/proofs'),
  ]
}
