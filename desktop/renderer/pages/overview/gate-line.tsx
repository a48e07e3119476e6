import type { ReactElement, ReactNode } from 'react'
import type { Gate } from '#shared/state/gates'
import { stepsOfGate } from '#shared/steps'
import { useLive, type Live } from '../../state/live.tsx'
import { startOf } from '../../state/run.ts'
import type { LogState } from '../../state/log-state.ts'
import { RailLine, type RailItem } from '../../ui/rail-line.tsx'
import { ScriptedDemo } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { progress } from '../../parts/timeline.tsx'
import { clock, timeOfDay, took } from '../../text/format.ts'
import { gateTitles, ofGate } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'
import { isHostGate, typicalOfGate } from './gates.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './overview.module.css'

const css = bindStyles(styles)

/** The six gates of the newest change as one line; where they are decided stands above. */
export function GateLine({ deployLog, shipLog }: Logs): ReactElement {
  const live = useLive()
  const { state } = live
  const logs = { deployLog, shipLog }
  return (
    <div className="gate-line">
      <div className={css('rail-where')}>
        <span>Laptop</span>
        <span>
          {state.reach.name}
          {hostNote(live)}
        </span>
      </div>
      <RailLine
        label="Definition of Done, six gates"
        items={state.change.gates.map((gate) => itemOf(gate, live, logs))}
      />
    </div>
  )
}

interface Logs {
  readonly deployLog: LogState
  readonly shipLog: LogState
}

function hostNote({ overview: { connection, status }, state }: Live): string {
  if (state.reach.stale && connection.as_of) return `, as of ${timeOfDay(connection.as_of)}`
  return status === null ? ', not read yet' : ''
}

function itemOf(gate: Gate, live: Live, logs: Logs): RailItem {
  const { overview, state, now } = live
  const title = gateTitles[gate.name]
  const shown = ofGate(gate.state, gate.detail)
  const typical = typicalOfGate(gate.name, overview.usual_ms)
  const since = gate.state === 'running' ? runningSince(gate, live, logs) : now
  const stopped = shown.tone === 'fail' || shown.tone === 'blocked'
  const scripted = gate.name === 'review' && state.change.scripted_review
  return {
    key: gate.name,
    title,
    shown,
    stale: isHostGate(gate.name) && state.reach.stale,
    name: `${title}: ${shown.word}${stopped && gate.detail && !saidByWord.has(gate.detail) ? ` ${gate.detail}` : ''}`,
    done: progress(since, typical, now),
    state: stateLine(gate, shown.word, now - since),
    below: belowLine(gate, typical),
    ...(scripted ? { note: <ScriptedDemo /> } : {}),
  }
}

function runningSince(gate: Gate, { state, now }: Live, { deployLog, shipLog }: Logs): number {
  if (isHostGate(gate.name))
    return startOfGate(gate, deployLog) ?? (state.deploy && startOf(state.deploy)) ?? now
  return startOfGate(gate, shipLog) ?? state.ship?.since ?? now
}

function startOfGate(gate: Gate, log: LogState): number | null {
  const names = stepsOfGate(gate.name)
  return (
    log.steps.find(({ name, started }) => started !== null && names.includes(name))?.started ?? null
  )
}

/** @param soFar how long the gate has run, in milliseconds */
function stateLine(gate: Gate, word: string, soFar: number): string {
  if (gate.state === 'running') return `${word}, ${clock(soFar)}`
  if (gate.state === 'unproven') return word
  if (gate.state === 'pass' && gate.name === 'proof')
    return gate.detail === null ? word : `${word}, ${gate.detail}`
  return gate.duration_ms !== null && gate.duration_ms > 0
    ? `${word}, ${took(gate.duration_ms)}`
    : word
}

function belowLine(gate: Gate, typical: number | undefined): ReactNode {
  const { name, state, detail, at } = gate
  if (state === 'running') {
    if (typical !== undefined) return `of usually ${clock(typical)}`
    return detail === name ? blank : detail
  }
  if (state === 'unproven') return detail === null ? blank : <span title={detail}>{detail}</span>
  const stopped = state === 'fail' || state === 'blocked'
  if (stopped && detail !== null && !saidByWord.has(detail))
    return (
      <code className="mono" title={detail}>
        {visibleText(detail)}
      </code>
    )
  if (state === 'waiting' && detail !== null)
    return <span title={detail}>{visibleText(detail)}</span>
  if (at !== null) return <Age at={at} />
  return typical === undefined || state !== 'waiting' ? blank : `usually ${took(typical)}`
}

/** Details that the word of the gate says already. */
const saidByWord: ReadonlySet<string> = new Set([
  'cancelled',
  'interrupted',
  'broken',
  'unreadable',
])

/** Keeps the line its height. */
const blank = '\u00a0'
