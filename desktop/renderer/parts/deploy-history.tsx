import type { CSSProperties, ReactElement } from 'react'
import { Link } from 'wouter'
import type { Run } from '#shared/run'
import { startOf, titleOfRun } from '../state/facts.ts'
import { took } from '../text/format.ts'
import { ofRun } from '../text/status.ts'
import { bindStyles } from '../ui/styles.ts'
import styles from './deploy-history.module.css'

const css = bindStyles(styles)

const most = 24
const lengthOf = (run: Run, now: number): number =>
  Math.max(0, (run.finished_at === null ? now : Date.parse(run.finished_at)) - startOf(run))

/** A bar per deploy, oldest first, as high as it took long; the dashed line is the usual. */
export function DeployHistory({
  runs,
  usual,
  now,
}: {
  runs: readonly Run[]
  usual: number | undefined
  now: number
}): ReactElement | null {
  const shown = runs.toSorted((a, b) => a.run_id.localeCompare(b.run_id)).slice(-most)
  if (shown.length === 0) return null
  const top = Math.max(...shown.map((run) => lengthOf(run, now)), (usual ?? 0) * 1.1, 1)
  const say = (tone: string, word: string): string[] => {
    const number = shown.filter((run) => ofRun(run.status, run.error_class).tone === tone).length
    return number === 0 ? [] : [`${number} ${word}`]
  }
  const words = [
    ...say('pass', 'green'),
    ...say('fail', 'failed'),
    ...say('blocked', 'blocked'),
    ...say('skip', 'cancelled'),
    ...say('warn', 'interrupted'),
    ...say('running', 'running'),
  ].join(', ')
  return (
    <section aria-label="Deploy history">
      <div className="list-head">
        <h2>Last {shown.length === 1 ? 'deploy' : `${shown.length} deploys`}</h2>
        <span className="quiet">
          {words}
          {usual === undefined ? '' : ` · usually ${took(usual)}`}
        </span>
      </div>
      <ol
        className={css('history')}
        style={
          {
            '--usual': usual === undefined ? '-1px' : `${Math.round((usual / top) * 100)}%`,
          } as CSSProperties
        }
      >
        {shown.map((run) => {
          const { tone, word } = ofRun(run.status, run.error_class)
          const name = `${run.action === 'rollback' ? `${titleOfRun(run)}: ` : ''}${word}${run.error_class && run.error_class !== word.toLowerCase() ? ` ${run.error_class}` : ''}, ${took(lengthOf(run, now))}, run ${run.run_id}`
          return (
            <li key={run.run_id}>
              <Link
                href={`/runs/${run.run_id}`}
                className={tone}
                aria-label={name}
                title={name}
                style={
                  {
                    '--h': `${Math.max(6, Math.round((lengthOf(run, now) / top) * 100))}%`,
                  } as CSSProperties
                }
              />
            </li>
          )
        })}
      </ol>
    </section>
  )
}
