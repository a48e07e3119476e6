import type { ReactElement, ReactNode } from 'react'
import type { ShipResult } from '#shared/result'
import { shipOrder, stepTitle } from '#shared/steps'
import { useLive } from '../../state/live.tsx'
import type { LiveStep } from '../../state/log-state.ts'
import { RailLine, type RailItem } from '../../ui/rail-line.tsx'
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
      items={shown.map((step) => itemOf(step, { result, typical: usual_ms, now }))}
    />
  )
}

interface Known {
  readonly result: ShipResult | null
  readonly typical: Readonly<Record<string, number>>
  readonly now: number
}

function itemOf(step: LiveStep, { result, typical, now }: Known): RailItem {
  const { name, status, started, error_class } = step
  const title = stepTitle(name)
  const shown = ofStep(status, error_class)
  const usually = typical[`ship/${name}`]
  const stopped = status === 'failed' && error_class ? ` ${error_class}` : ''
  return {
    key: name,
    title,
    shown,
    name: `${title}: ${shown.word}${stopped}`,
    done: started === null ? 0 : progress(started, usually, now),
    state: stateOf(step, shown.word, now),
    below: belowOf(step, result, usually),
    ...(name === 'review_auto' && result?.scripted_review ? { note: <ScriptedDemo /> } : {}),
  }
}

function stateOf({ status, started, duration_ms }: LiveStep, word: string, now: number): string {
  if (status === 'running' && started !== null) return `${word}, ${clock(now - started)}`
  return duration_ms !== null && status !== 'skipped' ? `${word}, ${took(duration_ms)}` : word
}

/** Keeps the line its height. */
const blank = '\u00a0'

/** @param typical how long the step typically takes, in milliseconds */
function belowOf(
  { name, status, detail, error_class }: LiveStep,
  result: ShipResult | null,
  typical: number | undefined,
): ReactNode {
  if (error_class !== null) return <code className="mono">{error_class}</code>
  if (status === 'running') return typical === undefined ? blank : `of usually ${clock(typical)}`
  if (status === 'waiting') return typical === undefined ? blank : `usually ${took(typical)}`
  if (name === 'tests' && status === 'passed' && result) {
    const total = result.tests.reduce((sum, each) => sum + each.total, 0)
    const skipped = result.tests.reduce((sum, each) => sum + each.skipped, 0)
    const flaky = result.tests.reduce((sum, each) => sum + (each.flaky ?? 0), 0)
    return [
      grouped(total),
      skipped === 0 ? 'none skipped' : `${grouped(skipped)} skipped`,
      ...(flaky === 0 ? [] : [`${grouped(flaky)} flaky`]),
    ].join(', ')
  }
  return detail === null ? blank : <span title={visibleText(detail)}>{visibleText(detail)}</span>
}
