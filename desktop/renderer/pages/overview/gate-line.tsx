import type { ReactElement, ReactNode } from 'react'
import type { Gate } from '#shared/gates'
import { stepsOfGate } from '#shared/steps'
import { useLive } from '../../state/live.tsx'
import { startOf } from '../../state/facts.ts'
import type { LogState } from '../../state/log-state.ts'
import { RailLine, type RailItem } from '../../ui/rail-line.tsx'
import { ScriptedDemo } from '../../ui/status.tsx'
import { Age } from '../../ui/time.tsx'
import { progress } from '../../parts/timeline.tsx'
import { clock, timeOfDay, took } from '../../text/format.ts'
import { gateTitles, ofGate } from '../../text/status.ts'
import { visibleText } from '../../text/visible-text.ts'
import { isHostGate, usualOfGate } from './gates.ts'
import { bindStyles } from '../../ui/styles.ts'
import styles from './overview.module.css'

const css = bindStyles(styles)

/** The six gates of the newest change as one line; where they are decided stands above. */
export function GateLine({
  deployLog,
  shipLog,
}: {
  deployLog: LogState
  shipLog: LogState
}): ReactElement {
  const {
    overview: { change, usual_ms, connection, status },
    facts,
    now,
  } = useLive()
  const items = change.gates.map((gate): RailItem => {
    const shown = ofGate(gate.state, gate.detail)
    const host = isHostGate(gate.name)
    const usual = usualOfGate(gate.name, usual_ms)
    const since =
      gate.state === 'running'
        ? (startOfGate(gate, host ? deployLog : shipLog) ??
          (host ? facts.deploy && startOf(facts.deploy) : facts.ship?.since) ??
          now)
        : now
    const scripted = gate.name === 'review' && change.scripted_review
    const stopped = shown.tone === 'fail' || shown.tone === 'blocked'
    return {
      key: gate.name,
      title: gateTitles[gate.name],
      shown,
      stale: host && facts.stale,
      name: `${gateTitles[gate.name]}: ${shown.word}${stopped && gate.detail ? ` ${gate.detail}` : ''}`,
      done: progress(since, usual, now),
      state: stateLine(gate, shown.word, since, now),
      below: belowLine(gate, usual),
      ...(scripted ? { note: <ScriptedDemo /> } : {}),
    }
  })
  return (
    <div className="gate-line">
      <div className={css('rail-where')}>
        <span>Laptop</span>
        <span>
          {facts.hostName}
          {facts.stale && connection.as_of
            ? `, as of ${timeOfDay(connection.as_of)}`
            : status === null
              ? ', not read yet'
              : ''}
        </span>
      </div>
      <RailLine label="Definition of Done, six gates" items={items} />
    </div>
  )
}

function startOfGate(gate: Gate, log: LogState): number | null {
  const names = stepsOfGate(gate.name)
  return (
    log.steps.find(({ name, started }) => started !== null && names.includes(name))?.started ?? null
  )
}

function stateLine(gate: Gate, word: string, since: number, now: number): string {
  if (gate.state === 'running') return `${word}, ${clock(now - since)}`
  if (gate.state === 'pass' && gate.name === 'proof')
    return gate.detail === null ? word : `${word}, ${gate.detail}`
  return gate.duration_ms !== null && gate.duration_ms > 0
    ? `${word}, ${took(gate.duration_ms)}`
    : word
}

function belowLine(gate: Gate, usual: number | undefined): ReactNode {
  if (gate.state === 'running')
    return usual === undefined
      ? gate.detail === gate.name
        ? '\u00a0'
        : gate.detail
      : `of usually ${clock(usual)}`
  if (
    (gate.state === 'fail' || gate.state === 'blocked') &&
    gate.detail !== null &&
    gate.detail !== 'cancelled'
  )
    return (
      <code className="mono" title={gate.detail}>
        {visibleText(gate.detail)}
      </code>
    )
  if (gate.state === 'waiting' && gate.detail !== null)
    return <span title={gate.detail}>{visibleText(gate.detail)}</span>
  if (gate.at !== null) return <Age at={gate.at} />
  return usual === undefined || gate.state !== 'waiting' ? '\u00a0' : `usually ${took(usual)}`
}
