import { useQuery } from '@tanstack/react-query'
import { useState, type ReactElement } from 'react'
import { Tab, TabList, Tabs } from 'react-aria-components'
import type { ShipDetail } from '#shared/bridge'
import type { Finding } from '#shared/verdict'
import { CancelButton, CancelNote } from '../../parts/cancel.tsx'
import { useLive } from '../../state/live.tsx'
import { runIdFrom } from '../../state/run-id.ts'
import { useHq } from '../../bridge/context.ts'
import { shipQuery } from '../../bridge/queries.ts'
import { LogPane } from '../../log/log-pane.tsx'
import { useLog } from '../../log/use-log.ts'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Chip, ScriptedDemo } from '../../ui/status.tsx'
import { stepsOf } from '../../parts/step-sources.ts'
import { AgainstUsual } from '../../parts/timeline.tsx'
import { shortRun, startOfRun } from '../../text/format.ts'
import { ofOverall } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'
import type { PageProps } from '../page.ts'
import { BeforeShip } from './before-ship.tsx'
import { Changes } from './changes.tsx'
import { NoShip } from './no-ship.tsx'
import { shipHeadline, sinceThen, turnOf } from './ship-headline.ts'
import { ShipSteps } from './ship-steps.tsx'
import { ShipWhy } from './ship-why.tsx'
import { VerdictPanel } from './verdict-panel.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './ship-page.module.css'

const css = bindStyles(styles)

/** One ship: its five steps, what the review said beside the diff, and what the verdict is bound to. Without an id, the newest. */
export function ShipPage({ id }: PageProps): ReactElement {
  const runId = runIdFrom(id)
  const { bridge } = useHq()
  const { overview } = useLive()
  const shown = runId ?? overview.ship?.run_id ?? null
  const { data, error } = useQuery({ ...shipQuery(bridge, shown ?? ''), enabled: shown !== null })
  if (shown === null) return <NoShip />
  if (error && !data)
    return (
      <div className="page">
        <ProblemNote error={error} />
      </div>
    )
  const summary =
    overview.ship?.run_id === shown && (!data || overview.ship.active)
      ? overview.ship
      : data?.summary
  if (!summary)
    return (
      <div className="page">
        <p className="soft" role="status">
          Reading ship {shortRun(shown)}
        </p>
      </div>
    )
  return (
    <Ship
      key={shown}
      detail={
        data ?? { summary, verdict: null, signature: null, findings: [], diff: null, files: [] }
      }
      active={data?.summary.active ?? summary.active}
      latest={runId === null || runId === overview.ship?.run_id}
    />
  )
}

function Ship({
  detail,
  active,
  latest,
}: {
  detail: ShipDetail
  active: boolean
  latest: boolean
}): ReactElement {
  const { overview, now } = useLive()
  const {
    summary: { run_id, result },
  } = detail
  const view = useLog('ship', run_id)
  const [tab, setTab] = useState<'changes' | 'log' | null>(null)
  const [filesShown, setFilesShown] = useState(false)
  const [file, setFile] = useState<string | null>(null)
  const [finding, setFinding] = useState<Finding | null>(null)
  const toFinding = (chosen: Finding): void => {
    setTab('changes')
    setFile(chosen.file)
    setFinding(chosen)
  }
  const chosen = tab ?? (active || detail.diff === null ? 'log' : 'changes')
  const { title, sub } = shipHeadline(detail, active, overview)
  const turn = active ? turnOf(view.log) : null
  const since = latest && !active ? sinceThen(result, overview.repository) : null
  return (
    <div className="page-full">
      <div className={css('ship-head')}>
        <div className="head">
          <div className="grow">
            <h1>
              {title}{' '}
              {!active && result && <Chip shown={ofOverall(result.overall, result.error_class)} />}
              {result?.scripted_review && <ScriptedDemo />}
            </h1>
            <p className="sub">{visibleText(sub)}</p>
            {turn && (
              <p className={css('sub since')} role="status">
                {turn}
              </p>
            )}
            {since && <p className={css('sub since')}>{visibleText(since)}</p>}
          </div>
          <div className="head-actions">
            {active && (
              <AgainstUsual
                since={startOfRun(run_id)}
                usual={overview.usual_ms['ship']}
                now={now}
              />
            )}
            {active && (
              <CancelButton source="ship" runId={run_id} title="ship" confirm="Cancel the ship">
                <p>
                  Its tests or review end with all they started. Nothing has been pushed unless it
                  is in its last step.
                </p>
              </CancelButton>
            )}
          </div>
        </div>
        {active && <CancelNote source="ship" runId={run_id} />}
        <ShipSteps steps={stepsOf(view.log, result)} result={result} />
      </div>
      {!active && result?.overall === 'FAIL' && (
        <ShipWhy
          result={result}
          remote={overview.repository?.remote ?? null}
          onLog={() => setTab('log')}
        />
      )}
      {latest && !active && <BeforeShip editing={result?.error_class === 'next_action_invalid'} />}
      <div className={css('ship-body')}>
        <div className={css('ship-main')}>
          <div className={css('ship-tabs')}>
            <Tabs
              selectedKey={chosen}
              onSelectionChange={(key) => setTab(key === 'log' ? 'log' : 'changes')}
            >
              <TabList aria-label="What to show" className={css('tabs')}>
                <Tab id="changes" className={css('tab')}>
                  Changes
                </Tab>
                <Tab id="log" className={css('tab')}>
                  Log
                </Tab>
              </TabList>
            </Tabs>
            {chosen === 'changes' && (
              <span className="only-narrow">
                <PushButton small icon="panel" onPress={() => setFilesShown(!filesShown)}>
                  Files
                </PushButton>
              </span>
            )}
          </div>
          {chosen === 'log' ? (
            <LogPane view={view} />
          ) : (
            <Changes
              detail={detail}
              filesShown={filesShown}
              chosen={file}
              finding={finding}
              onChoose={setFile}
            />
          )}
        </div>
        <VerdictPanel detail={detail} onFinding={toFinding} />
      </div>
    </div>
  )
}
