import type { ReactElement } from 'react'
import { errorRule } from '#shared/errors'
import type { ShipResult } from '#shared/result'
import { laterShip } from '#shared/state/running'
import { useLive } from '../../state/live.tsx'
import { useRemedy } from '../../ui/remedy.ts'
import { FileLink } from '../../ui/file-link.tsx'
import { nextFix, notReached, superseded, WhyRed, type Standing } from '../../ui/why-red.tsx'
import { pushState } from './ship-headline.ts'

/** Why a ship stopped, and what follows. */
export function ShipWhy({
  result,
  remote,
  onLog,
}: {
  result: ShipResult
  remote: string | null
  onLog: () => void
}): ReactElement | null {
  const remedy = useRemedy()
  const { overview } = useLive()
  if (result.error_class === null) return null
  const failed = result.steps.find(({ name }) => name === result.step_failed)
  const settled = result.pushed_sha === null && result.error_class !== 'push_unconfirmed'
  const fix = result.next_auto_fix ?? errorRule(result.error_class).next_auto_fix
  const past = superseded(laterShip(result.run_id, overview), '/ship')
  const standing: (Standing | null)[] = [
    {
      icon: settled ? 'pass' : 'alert',
      tone: settled ? 'pass' : 'warn',
      text: pushState(result, remote),
    },
    notReached(result),
    past ?? nextFix(fix, remedy(fix)),
  ]
  const files = ['ship_result', ...(failed?.log ? [`log_${failed.name}`] : [])]
    .map((key) => result.artifacts[key])
    .filter((path) => path !== undefined)
  return (
    <WhyRed
      errorClass={result.error_class}
      step={result.step_failed}
      detail={failed?.detail ?? null}
      firstError={null}
      onFirstError={onLog}
      standing={standing.filter((each) => each !== null)}
      evidence={
        files.length === 0
          ? null
          : files.map((path) => (
              <FileLink key={path} file={{ source: 'ship', runId: result.run_id, path }}>
                {path}
              </FileLink>
            ))
      }
    />
  )
}
