import type { ReactElement } from 'react'
import type { ConnectFlow, ConnectStep } from '#shared/connect-flow'
import { useNow } from '../../ui/now.ts'
import { Mark } from '../../ui/icons.tsx'
import { clock, took } from '../../text/format.ts'
import { visibleText } from '../../text/visible-text.ts'
import { bindStyles } from '../../ui/styles.ts'
import { StepNow } from './step-now.tsx'
import styles from './connectors.module.css'

const css = bindStyles(styles)

const words: Readonly<Record<ConnectStep['state'], string>> = {
  wait: 'waiting',
  running: 'running',
  you: 'needs you',
  pass: 'passed',
  fail: 'failed',
}

interface Props {
  readonly title: string
  readonly flow: ConnectFlow
  readonly filled: boolean
  readonly onShowWindow: () => void
}

/** The steps of an attempt, in order; what is waited for stands under its step. */
export function Ladder({ title, flow, filled, onShowWindow }: Props): ReactElement {
  return (
    <ol className={css('ladder')} aria-label={`Steps to connect ${title}`}>
      {flow.steps.map((step) => (
        <li key={step.id} className={css(step.state)}>
          <Mark tone={step.state} />
          <span>
            {step.title}
            <span className="unseen">, {words[step.state]}</span>
          </span>
          <span className={css('ladder-time')}>
            <StepTime step={step} deadline={flow.deadline} />
          </span>
          {step.state === 'you' && (
            <StepNow flow={flow} filled={filled} onShowWindow={onShowWindow} />
          )}
        </li>
      ))}
    </ol>
  )
}

/** What was found, or how long it took; while it runs, for how long; while a person is waited for, the time left. */
function StepTime({
  step: { state, detail, started_at, ended_at },
  deadline,
}: {
  step: ConnectStep
  deadline: string | null
}): ReactElement {
  const now = useNow()
  const since = started_at === null ? now : Date.parse(started_at)
  if (state === 'you' && deadline !== null)
    return (
      <span role="timer" aria-live="off" title={`of ${clock(Date.parse(deadline) - since)}`}>
        {clock(Date.parse(deadline) - now)} left
      </span>
    )
  if (state === 'you' || state === 'running')
    return (
      <>
        {detail !== null && <span>{visibleText(detail)} · </span>}
        <span role="timer" aria-live="off">
          {clock(now - since)}
        </span>
      </>
    )
  const time = ended_at === null ? null : took(Date.parse(ended_at) - since)
  if (detail !== null)
    return <span title={time === null ? '' : `took ${time}`}>{visibleText(detail)}</span>
  return <>{time === null ? '' : `${state === 'fail' ? 'failed after' : 'took'} ${time}`}</>
}
