import { useQuery } from '@tanstack/react-query'
import { useState, type ComponentProps, type ReactElement } from 'react'
import { Tab, TabList, TabPanel, Tabs } from 'react-aria-components'
import type { ShipDetail } from '#shared/bridge'
import type { Finding } from '#shared/verdict'
import { CancelButton, CancelNote } from '../../parts/cancel.tsx'
import { useLive } from '../../state/live.tsx'
import { runIdFrom } from '../../state/run-id.ts'
import { useHq } from '../../bridge/context.ts'
import { toBridgeError } from '../../bridge/bridge-error.ts'
import { shipQuery } from '../../bridge/queries.ts'
import type { LogState } from '../../state/log-state.ts'
import type { LogView } from '../../log/log-stream.ts'
import { LogPane } from '../../log/log-pane.tsx'
import { useLog } from '../../log/use-log.ts'
import { ProblemNote } from '../../ui/problem-note.tsx'
import { PushButton } from '../../ui/push-button.tsx'
import { Chip, ScriptedDemo } from '../../ui/status.tsx'
import { stepsOf } from '../../parts/step-sources.ts'
import { Elapsed } from '../../parts/timeline.tsx'
import { shortRun, startOfRun } from '../../text/format.ts'
import { ofOverall } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'
import type { PageProps } from '../page.ts'
import { BeforeShip } from './before-ship.tsx'
import { Changes } from './changes.tsx'
import { NoShip } from './no-ship.tsx'
import { NoSuchShip } from './no-such-ship.tsx'
import { shipHeadline, sinceThen, turnOf } from './ship-headline.ts'
import { ShipSteps } from './ship-steps.tsx'
import { ShipWhy } from './ship-why.tsx'
import { VerdictPanel } from './verdict-panel.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './ship-page.module.css'

const css = bindStyles(styles)

/** One ship: its steps, the review beside the diff, and what the verdict is bound to. Without an id, the newest. */
export function ShipPage({ id }: PageProps): ReactElement {
  const runId = runIdFrom(id)
  const { bridge } = useHq()
  const { overview } = useLive()
  const shown = runId ?? overview.ship?.run_id ?? null
  const { data, error } = useQuery({ ...shipQuery(bridge, shown ?? ''), enabled: shown !== null })
  if (id !== null && runId === null) return <NoSuchShip id={id} />
  if (shown === null) return <NoShip />
  if (error && !data && toBridgeError(error).errorClass === 'not_found')
    return <NoSuchShip id={shown} />
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

interface ShipProps {
  readonly detail: ShipDetail
  readonly active: boolean
  readonly latest: boolean
}

function Ship({ detail, active, latest }: ShipProps): ReactElement {
  const { overview } = useLive()
  const {
    summary: { run_id, result },
  } = detail
  const view = useLog('ship', run_id)
  const [tab, setTab] = useState<Shown | null>(null)
  const [file, setFile] = useState<string | null>(null)
  const [finding, setFinding] = useState<Finding | null>(null)
  const showFinding = (chosen: Finding): void => {
    setTab('changes')
    setFile(chosen.file)
    setFinding(chosen)
  }
  const failed = !active && result?.overall === 'FAIL'
  return (
    <div className="page-full">
      <div className={css('full-head ship-head')}>
        <Head detail={detail} active={active} latest={latest} log={view.log} />
        {active && <CancelNote source="ship" runId={run_id} />}
        <ShipSteps steps={stepsOf(view.log, result)} result={result} />
      </div>
      {failed && (
        <ShipWhy
          result={result}
          remote={overview.repository?.remote ?? null}
          onLog={() => setTab('log')}
        />
      )}
      {latest && !active && <BeforeShip editing={result?.error_class === 'next_action_invalid'} />}
      <div className={css('ship-body')}>
        <Main
          shown={tab ?? (active || detail.diff === null ? 'log' : 'changes')}
          onShow={setTab}
          view={view}
          changes={{ detail, chosen: file, finding, onChoose: setFile }}
        />
        <VerdictPanel detail={detail} onFinding={showFinding} />
      </div>
    </div>
  )
}

function Head({ detail, active, latest, log }: ShipProps & { log: LogState }): ReactElement {
  const { overview } = useLive()
  const { result } = detail.summary
  const { title, sub } = shipHeadline(detail, active ? (detail.summary.commit ?? null) : undefined)
  const turn = active ? turnOf(log) : null
  const since = latest && !active ? sinceThen(result, overview.repository) : null
  return (
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
      <div className="head-actions">{active && <Running runId={detail.summary.run_id} />}</div>
    </div>
  )
}

/** How long the ship has run, and how to end it. */
function Running({ runId }: { runId: string }): ReactElement {
  const { overview, now } = useLive()
  return (
    <>
      <Elapsed since={startOfRun(runId)} typical={overview.usual_ms['ship']} now={now} />
      <CancelButton source="ship" runId={runId} title="ship" confirm="Cancel the ship">
        <p>
          Its tests or review end with all they started. Nothing has been pushed unless it is in its
          last step.
        </p>
      </CancelButton>
    </>
  )
}

type Shown = 'changes' | 'log'

/** The reviewed changes or the log, whichever tab is chosen. */
function Main({
  shown,
  onShow,
  view,
  changes,
}: {
  shown: Shown
  onShow: (shown: Shown) => void
  view: LogView
  changes: Omit<ComponentProps<typeof Changes>, 'filesShown'>
}): ReactElement {
  const [filesShown, setFilesShown] = useState(false)
  return (
    <Tabs
      className={css('ship-main')}
      selectedKey={shown}
      onSelectionChange={(key) => onShow(key === 'log' ? 'log' : 'changes')}
    >
      <div className={css('ship-tabs')}>
        <TabList aria-label="What to show" className="segmented">
          <Tab id="changes" className="segment">
            Changes
          </Tab>
          <Tab id="log" className="segment">
            Log
          </Tab>
        </TabList>
        {shown === 'changes' && (
          <span className="only-narrow">
            <PushButton small icon="panel" onPress={() => setFilesShown(!filesShown)}>
              Files
            </PushButton>
          </span>
        )}
      </div>
      <TabPanel id="changes" className={css('ship-panel')}>
        <Changes {...changes} filesShown={filesShown} />
      </TabPanel>
      <TabPanel id="log" className={css('ship-panel')}>
        <LogPane view={view} ended={!changes.detail.summary.active} />
      </TabPanel>
    </Tabs>
  )
}
