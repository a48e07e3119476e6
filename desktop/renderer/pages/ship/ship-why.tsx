import type { ReactElement } from 'react'
import { Link } from 'wouter'
import type { Overview } from '#shared/bridge'
import { errorRule } from '#shared/errors'
import type { ShipResult } from '#shared/result'
import { laterShip } from '#shared/state/running'
import { useLive } from '../../state/live.tsx'
import { useRemedy } from '../../ui/remedy.ts'
import { Age } from '../../ui/time.tsx'
import { shortRun } from '../../text/format.ts'
import { FileLink } from '../../ui/file-link.tsx'
import { nextFix, notReached, WhyRed, type Standing } from '../../ui/why-red.tsx'
import { pushState } from './ship-headline.ts'

/** A later ship has passed: nobody needs to do anything about this one any more. */
function supersession(result: ShipResult, overview: Overview): Standing | null {
  const later = laterShip(result.run_id, overview)
  if (later === null) return null
  return {
    icon: 'pass',
    tone: 'pass',
    text: (
      <>
        Superseded by{' '}
        <Link href={`/ship/${later.run_id}`} className="mono">
          {shortRun(later.run_id)}
        </Link>
        , which passed <Age at={later.at} />.
      </>
    ),
  }
}

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
  const past = supersession(result, overview)
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
