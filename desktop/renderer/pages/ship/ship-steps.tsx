import type { ReactElement, ReactNode } from 'react'
import type { ShipResult } from '#shared/result'
import { shipOrder, stepTitle } from '#shared/steps'
import { useLive } from '../../state/live.tsx'
import type { LiveStep } from '../../state/log-state.ts'
import { RailLine } from '../../ui/rail-line.tsx'
import { ScriptedDemo } from '../../ui/status.tsx'
import { progress } from '../../parts/timeline.tsx'
import { clock, grouped, took } from '../../text/format.ts'
import { ofStep } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'

const waiting = (name: string): LiveStep => ({
  name,
  status: 'waiting',
  started: null,
  duration_ms: null,
  detail: null,
  error_class: null,
  row: null,
})

/** The five steps of a ship as one line. */
export function ShipSteps({
  steps,
  result,
}: {
  steps: readonly LiveStep[]
  result: ShipResult | null
}): ReactElement {
  const {
    overview: { usual_ms },
    now,
  } = useLive()
  const shown = steps.length > 0 ? steps : shipOrder.map(waiting)
  return (
    <RailLine
      label="Ship, five steps"
      items={shown.map((step) => {
        const { name, status, started, duration_ms, error_class } = step
        const word = ofStep(status, error_class)
        const usual = usual_ms[`ship/${name}`]
        const stopped = status === 'failed'
        return {
          key: name,
          title: stepTitle(name),
          shown: word,
          name: `${stepTitle(name)}: ${word.word}${stopped && error_class ? ` ${error_class}` : ''}`,
          done: started === null ? 0 : progress(started, usual, now),
          state:
            status === 'running' && started !== null
              ? `${word.word}, ${clock(now - started)}`
              : duration_ms !== null && status !== 'skipped'
                ? `${word.word}, ${took(duration_ms)}`
                : word.word,
          below: below(step, result, usual),
          ...(name === 'review_auto' && result?.scripted_review ? { note: <ScriptedDemo /> } : {}),
        }
      })}
    />
  )
}

function below(
  { name, status, detail, error_class }: LiveStep,
  result: ShipResult | null,
  usual: number | undefined,
): ReactNode {
  if (error_class !== null) return <code className="mono">{error_class}</code>
  if (status === 'running') return usual === undefined ? '\u00a0' : `of usually ${clock(usual)}`
  if (status === 'waiting') return usual === undefined ? '\u00a0' : `usually ${took(usual)}`
  if (name === 'tests' && status === 'passed' && result) {
    const total = result.tests.reduce((sum, each) => sum + each.total, 0)
    const skipped = result.tests.reduce((sum, each) => sum + each.skipped, 0)
    return `${grouped(total)}, ${skipped === 0 ? 'none skipped' : `${grouped(skipped)} skipped`}`
  }
  return detail === null ? '\u00a0' : <span title={visibleText(detail)}>{visibleText(detail)}</span>
}
