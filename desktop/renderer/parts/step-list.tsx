import type { ReactElement } from 'react'
import { stepTitle } from '#shared/steps'
import type { LiveStep } from '../state/log-state.ts'
import { clock, took } from '../text/format.ts'
import { ofStep } from '../text/status.ts'
import { visibleText } from '../text/visible-text.ts'
import { Mark } from '../ui/icons.tsx'
import { progress } from './timeline.tsx'
import { bindStyles } from '../ui/styles.ts'
import styles from './step-list.module.css'

const css = bindStyles(styles)

interface Props {
  readonly title: string
  readonly steps: readonly LiveStep[]
  readonly action: string
  readonly typical: Readonly<Record<string, number>>
  readonly now: number
  readonly onStep?: (step: LiveStep) => void
  /** The run goes on: steps may still come. */
  readonly running?: boolean
}

/** The steps of a run, top to bottom; those that were not reached stand apart. */
export function StepList({
  title,
  steps,
  action,
  typical,
  now,
  onStep,
  running = false,
}: Props): ReactElement {
  const reached = steps.filter(({ status }) => status !== 'not_reached')
  const rest = steps.filter(({ status }) => status === 'not_reached')
  const item = (step: LiveStep): ReactElement => (
    <StepItem
      key={step.name}
      step={step}
      typical={typical[`${action}/${step.name}`]}
      now={now}
      onStep={onStep}
    />
  )
  return (
    <nav className="steps" aria-label="Steps">
      <h2>{title}</h2>
      {steps.length === 0 && (
        <p className={css('quiet steps-none')}>
          {running ? 'No step has begun yet.' : 'This action has no steps.'}
        </p>
      )}
      <ol>{reached.map(item)}</ol>
      {rest.length > 0 && (
        <>
          <h2>Not reached</h2>
          <ol>{rest.map(item)}</ol>
        </>
      )}
    </nav>
  )
}

function StepItem({
  step,
  typical,
  now,
  onStep,
}: {
  step: LiveStep
  typical: number | undefined
  now: number
  onStep: Props['onStep']
}): ReactElement {
  const { name, status, started, error_class } = step
  const { tone, word } = ofStep(status, error_class)
  const running = status === 'running' && started !== null
  const time = timeOf(step, typical, now)
  const second = secondLine(step, typical, word)
  const pressable = onStep !== null && onStep !== undefined && step.row !== null
  const inner = (
    <>
      <Mark tone={tone} />
      <span className="step-name" title={name}>
        {stepTitle(name)}
      </span>
      {pressable && <span className="unseen">{`: ${word}, `}</span>}
      <span className="step-time">{time}</span>
      {running && typical !== undefined && (
        <span className={css('step-bar')}>
          <i style={{ width: `${Math.round(progress(started, typical, now) * 100)}%` }} />
        </span>
      )}
      {second !== null && <span className="step-second">{visibleText(second)}</span>}
    </>
  )
  const current = status === 'running' || status === 'failed'
  const label = `${stepTitle(name)}: ${word}${time === '' || running ? '' : `, ${time}`}`
  return (
    <li className={tone} {...(current ? { 'aria-current': 'step' as const } : {})}>
      {pressable ? (
        <button type="button" className="step" onClick={() => onStep(step)}>
          {inner}
        </button>
      ) : (
        <div className="step" aria-label={label} role="group">
          {inner}
        </div>
      )}
    </li>
  )
}

/** How long a step has run or took; for one that waits, how long it typically takes. */
function timeOf(
  { status, started, duration_ms }: LiveStep,
  typical: number | undefined,
  now: number,
): string {
  if (status === 'running' && started !== null) return clock(now - started)
  if (duration_ms !== null) return took(duration_ms)
  return status === 'waiting' && typical !== undefined ? `~${took(typical)}` : ''
}

function secondLine(
  { status, started, detail }: LiveStep,
  typical: number | undefined,
  word: string,
): string | null {
  if (status === 'running' && started !== null)
    return typical === undefined ? null : `usually ${clock(typical)}`
  return status === 'failed' || status === 'skipped' || status === 'cancelled'
    ? (detail ?? word)
    : null
}
