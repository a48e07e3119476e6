import type { CSSProperties, ReactElement } from 'react'
import { stepTitle } from '#shared/steps'
import type { LiveStep } from '../state/log-state.ts'
import { clock, took } from '../text/format.ts'
import { isBlocked, ofStep } from '../text/status.ts'

/** Typical durations in milliseconds, by `<action>` or `<action>/<step>`. */
type Typical = Readonly<Record<string, number>>

/** How far a running step is, measured against what it usually takes; it never claims to be done. */
export const progress = (since: number, typical: number | undefined, now: number): number =>
  typical === undefined || typical <= 0 ? 0.5 : Math.min(0.97, Math.max(0, (now - since) / typical))

/** A bar of the steps of a run, each as wide as it usually takes. @param action prefix of the names in `typical` */
export function Timeline({
  steps,
  action,
  typical,
  now,
}: {
  steps: readonly LiveStep[]
  action: string
  typical: Typical
  now: number
}): ReactElement {
  const known = steps.flatMap(
    ({ name, duration_ms }) => typical[`${action}/${name}`] ?? duration_ms ?? [],
  )
  const middle = known.length > 0 ? known.reduce((sum, each) => sum + each, 0) / known.length : 1000
  const total = steps.reduce(
    (sum, { name, duration_ms }) => sum + (typical[`${action}/${name}`] ?? duration_ms ?? middle),
    0,
  )
  return (
    <div className="timeline" role="img" aria-label="Steps, each as wide as it usually takes">
      {steps.map(({ name, status, error_class, started, duration_ms }) => {
        const own = typical[`${action}/${name}`] ?? duration_ms ?? middle
        const { tone, word } = ofStep(status, isBlocked(error_class) ? error_class : null)
        const width = Math.max(own / total, 0.012)
        const done =
          status === 'running' && started !== null
            ? progress(started, typical[`${action}/${name}`], now)
            : 0
        return (
          <i
            key={name}
            className={tone}
            title={`${stepTitle(name)}: ${word}${duration_ms === null ? '' : `, ${took(duration_ms)}`}`}
            style={
              {
                '--w': Math.round(width * 1000),
                '--done': `${Math.round(done * 100)}%`,
              } as CSSProperties
            }
          />
        )
      })}
    </div>
  )
}

/** *2:14 of usually 3:57*, or the clock alone when nothing is known. */
export function Elapsed({
  since,
  typical,
  now,
}: {
  since: number
  typical: number | undefined
  now: number
}): ReactElement {
  return (
    <span className="nowrap">
      <b className="strong">{clock(now - since)}</b>
      {typical !== undefined && <span className="quiet"> of usually {clock(typical)}</span>}
    </span>
  )
}
