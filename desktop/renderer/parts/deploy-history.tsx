import type { CSSProperties, ReactElement } from 'react'
import { Link } from 'wouter'
import type { Run } from '#shared/run'
import { troubleOf, type ProofTrouble } from '#shared/state/proof'
import { useLive } from '../state/live.tsx'
import { startOf, titleOfRun } from '../state/run.ts'
import { took } from '../text/format.ts'
import { ofDeploy, ofRun, type Shown } from '../text/status.ts'
import { bindStyles } from '../ui/styles.ts'
import styles from './deploy-history.module.css'

const css = bindStyles(styles)

const most = 24
const lengthOf = (run: Run, now: number): number =>
  Math.max(0, (run.finished_at === null ? now : Date.parse(run.finished_at)) - startOf(run))

/** A bar per deploy, oldest first, as high as its duration; the dashed line is the typical duration. */
export function DeployHistory({
  runs,
  typical,
  now,
}: {
  runs: readonly Run[]
  typical: number | undefined
  now: number
}): ReactElement | null {
  const { troubles } = useLive().state
  const shown = runs.toSorted((a, b) => a.run_id.localeCompare(b.run_id)).slice(-most)
  if (shown.length === 0) return null
  const top = Math.max(...shown.map((run) => lengthOf(run, now)), (typical ?? 0) * 1.1, 1)
  const dashed = typical === undefined ? '-1px' : `${Math.round((typical / top) * 100)}%`
  return (
    <section aria-label="Deploy history">
      <div className="list-head">
        <h2>Last {shown.length === 1 ? 'deploy' : `${shown.length} deploys`}</h2>
        <span className="quiet">
          {tallyOf(shown, troubles)}
          {typical === undefined ? '' : ` · usually ${took(typical)}`}
        </span>
      </div>
      <ol className={css('history')} style={{ '--typical': dashed } as CSSProperties}>
        {shown.map((run) => (
          <Bar
            key={run.run_id}
            run={run}
            shown={ofDeploy(run, troubles)}
            length={lengthOf(run, now)}
            top={top}
          />
        ))}
      </ol>
    </section>
  )
}

/** @param length of the run, in milliseconds @param top the length that fills the height */
function Bar({
  run,
  shown: { tone, word },
  length,
  top,
}: {
  run: Run
  shown: Shown
  length: number
  top: number
}): ReactElement {
  const action = run.action === 'rollback' ? `${titleOfRun(run)}: ` : ''
  const why = run.error_class && run.error_class !== word.toLowerCase() ? ` ${run.error_class}` : ''
  const name = `${action}${word}${why}, ${took(length)}, run ${run.run_id}`
  const height = `${Math.max(6, Math.round((length / top) * 100))}%`
  return (
    <li>
      <Link
        href={`/runs/${run.run_id}`}
        className={tone}
        aria-label={name}
        title={name}
        style={{ '--h': height } as CSSProperties}
      />
    </li>
  )
}

const counted = [
  ['pass', 'green'],
  ['fail', 'failed'],
  ['blocked', 'blocked'],
  ['skip', 'cancelled'],
  ['warn', 'interrupted'],
  ['running', 'running'],
] as const

/** *20 green, 2 failed, 1 with a broken proof*: a state that none has is left out. */
function tallyOf(runs: readonly Run[], troubles: readonly ProofTrouble[]): string {
  const sound = runs.filter(({ run_id }) => troubleOf(troubles, 'deploy', run_id) === null)
  const broken = runs.length - sound.length
  return [
    ...counted.map(([tone, word]) => ({
      word,
      number: sound.filter((run) => ofRun(run.status, run.error_class).tone === tone).length,
    })),
    { word: 'with a broken proof', number: broken },
  ]
    .flatMap(({ word, number }) => (number === 0 ? [] : [`${number} ${word}`]))
    .join(', ')
}
