import { useQuery } from '@tanstack/react-query'
import type { ReactElement } from 'react'
import { useLocation } from 'wouter'
import { useLive } from '../../state/live.tsx'
import { useHq } from '../../bridge/context.ts'
import { runQuery } from '../../bridge/queries.ts'
import { RunWhyRed, useTriage } from '../../parts/run-why-red.tsx'
import { bindStyles } from '../../ui/styles.ts'
import styles from './deploy.module.css'

const css = bindStyles(styles)

/** Why the last deploy is red, with the way to its log. */
export function LastRed(): ReactElement | null {
  const { bridge } = useHq()
  const {
    overview: { status },
    state,
  } = useLive()
  const [, go] = useLocation()
  const result = state.lastDeploy
  const read = useQuery({ ...runQuery(bridge, result?.run_id ?? ''), enabled: result !== null })
    .data?.run
  // What the overview knows of it stands here at once, and while the host is unreachable.
  const known = status?.recent_deploys.find(({ run_id }) => run_id === result?.run_id)
  const run = read ?? (known && result ? { ...known, result: { ...result } } : null)
  const { triage } = useTriage(result?.run_id ?? '', run)
  if (result === null || run === null) return null
  return (
    <div className={css('deploy-block why-card')}>
      <RunWhyRed
        run={run}
        result={result}
        triage={triage}
        onFirstError={() => go(`/runs/${result.run_id}`)}
      />
    </div>
  )
}
