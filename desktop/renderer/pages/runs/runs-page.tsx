import { useInfiniteQuery } from '@tanstack/react-query'
import type { ReactElement } from 'react'
import { Link, useLocation, useSearchParams } from 'wouter'
import { actionIds, actionOf, actions, isActionId } from '#shared/actions'
import { shortActor } from '#shared/tailnet/actor'
import { runStatus, type Run } from '#shared/run'
import { stepTitle } from '#shared/steps'
import { startOf } from '../../state/run.ts'
import { useLive } from '../../state/live.tsx'
import { runIdFrom } from '../../state/run-id.ts'
import { useHq } from '../../bridge/context.ts'
import { runsQuery, type RunsFilter } from '../../bridge/queries.ts'
import { useScriptedRun } from '../../parts/scripted-commits.ts'
import { Choose } from '../../ui/choose.tsx'
import { RunId } from '../../ui/copy.tsx'
import { NoSuchPage } from '../../ui/no-such-page.tsx'
import { Nothing, ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { ScriptedDemo, Status } from '../../ui/status.tsx'
import { Age, Clock } from '../../ui/time.tsx'
import { count, took } from '../../text/format.ts'
import { ofDeploy, ofRun } from '../../text/status.ts'
import type { PageProps } from '../page.ts'
import { RunPage } from './run-page.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './runs.module.css'

const css = bindStyles(styles)

const any = 'any'

/** Every run of the host; with an id, that run. */
export function RunsPage({ id }: PageProps): ReactElement {
  if (id === null) return <RunList />
  const runId = runIdFrom(id)
  return runId === null ? <NoSuchPage /> : <RunPage runId={runId} />
}

/** Every run of the host, newest first. */
function RunList(): ReactElement {
  const { bridge } = useHq()
  const [filter, setFilter] = useFilter()
  const { data, error, hasNextPage, fetchNextPage, isFetchingNextPage } = useInfiniteQuery(
    runsQuery(bridge, filter),
  )
  const runs = data?.pages.flatMap((page) => page.runs) ?? []
  const narrow = filter.action !== undefined || filter.status !== undefined
  return (
    <div className="page">
      <div className="head">
        <div className="grow">
          <h1>{headlineOf(runs, narrow)}</h1>
          <p className="sub">Every run of the host, newest first. Ships are on the Ship page.</p>
        </div>
      </div>
      <Filters filter={filter} onChange={setFilter} />
      {error && runs.length === 0 && <ProblemNote error={error} />}
      {data && runs.length === 0 && (
        <Nothing title={narrow ? 'No run matches' : 'The host has not run anything yet'}>
          {narrow
            ? 'Widen the filters above.'
            : `${actions.deploy_and_verify.button} or a doctor will be the first.`}
        </Nothing>
      )}
      {runs.length > 0 && <RunTable runs={runs} />}
      {hasNextPage && (
        <div className={css('more')}>
          <PushButton
            busy={isFetchingNextPage}
            onPress={() => {
              void fetchNextPage()
            }}
          >
            Show older runs
          </PushButton>
        </div>
      )}
    </div>
  )
}

/** The filter stands in the address, so that it survives Back, a reload and a copied link. */
function useFilter(): [RunsFilter, (filter: RunsFilter) => void] {
  const [search, setSearch] = useSearchParams()
  const action = search.get('action') ?? ''
  const status = runStatus.safeParse(search.get('status')).data
  const filter: RunsFilter = {
    ...(isActionId(action) ? { action } : {}),
    ...(status ? { status } : {}),
  }
  return [filter, (next) => setSearch(Object.entries(next), { replace: true })]
}

const isActive = ({ status }: Run): boolean => status === 'running' || status === 'queued'

function headlineOf(runs: readonly Run[], narrow: boolean): string {
  const active = runs.filter(isActive).length
  if (active > 0) return `${count(active, 'run')} active`
  return narrow ? 'Runs that match' : 'Runs'
}

function Filters({
  filter: { action, status },
  onChange,
}: {
  filter: RunsFilter
  onChange: (filter: RunsFilter) => void
}): ReactElement {
  return (
    <div className={css('filters')}>
      <Choose
        label="Action"
        value={action ?? any}
        options={[
          { id: any, title: 'Every action' },
          ...actionIds.map((id) => ({ id, title: actionOf(id).title })),
        ]}
        onChange={(id) =>
          onChange({ ...(status ? { status } : {}), ...(isActionId(id) ? { action: id } : {}) })
        }
      />
      <Choose
        label="State"
        value={status ?? any}
        options={[
          { id: any, title: 'Every state' },
          ...runStatus.options.map((id) => ({ id, title: ofRun(id).word })),
        ]}
        onChange={(id) => {
          const chosen = runStatus.safeParse(id).data
          onChange({ ...(action ? { action } : {}), ...(chosen ? { status: chosen } : {}) })
        }}
      />
    </div>
  )
}

function RunTable({ runs }: { runs: readonly Run[] }): ReactElement {
  const { state } = useLive()
  return (
    <table className={css(`rows ${state.reach.stale ? 'faded' : ''}`)} aria-label="Runs">
      <thead>
        <tr>
          <th>State</th>
          <th>Action</th>
          <th>Run</th>
          <th>Result</th>
          <th className="hide-narrow">Took</th>
          <th className="hide-narrow">Actor</th>
          <th>Requested</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <Row key={run.run_id} run={run} />
        ))}
      </tbody>
    </table>
  )
}

function Row({ run }: { run: Run }): ReactElement {
  const [, go] = useLocation()
  const scripted = useScriptedRun(run)
  const { troubles } = useLive().state
  return (
    <tr
      onClick={(event) => {
        if ((event.target as Element).closest('a,button')) return
        const address = `/runs/${run.run_id}`
        if (event.ctrlKey || event.metaKey) window.open(`#${address}`, '_blank', 'noopener')
        else go(address)
      }}
    >
      <td>
        <Status shown={ofDeploy(run, troubles)} />
      </td>
      <td>
        <Link href={`/runs/${run.run_id}`} className="plain-link strong">
          {actionOf(run.action).title}
        </Link>
      </td>
      <td className="quiet">
        <RunId id={run.run_id} />
      </td>
      <td className="soft">
        {run.error_class ? (
          <>
            <code className="mono">{run.error_class}</code>
            {run.step_failed && <span className="quiet"> in {stepTitle(run.step_failed)}</span>}
          </>
        ) : (
          ''
        )}
        {scripted && <ScriptedDemo />}
      </td>
      <td className="quiet hide-narrow">
        {isActive(run) && <Clock since={startOf(run)} />}
        {!isActive(run) && run.finished_at && took(Date.parse(run.finished_at) - startOf(run))}
      </td>
      <td className="quiet hide-narrow" title={run.actor}>
        {shortActor(run.actor)}
      </td>
      <td className="quiet">
        <Age at={run.requested_at} />
      </td>
    </tr>
  )
}
