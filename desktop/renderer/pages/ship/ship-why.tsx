import type { ReactElement } from 'react'
import { errorRule } from '#shared/errors'
import type { ShipResult } from '#shared/result'
import { FileLink } from '../../ui/file-sheet.tsx'
import { nextFix, WhyRed, type Standing } from '../../ui/why-red.tsx'
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
  if (result.error_class === null) return null
  const failed = result.steps.find(({ name }) => name === result.step_failed)
  const standing: Standing[] = [
    result.pushed_sha === null && result.error_class !== 'push_unconfirmed'
      ? { icon: 'pass', tone: 'pass', text: pushState(result, remote) }
      : { icon: 'alert', tone: 'warn', text: pushState(result, remote) },
    nextFix(result.next_auto_fix ?? errorRule(result.error_class).next_auto_fix),
  ]
  const files = ['ship_result', ...(failed?.log ? [`log_${failed.name}`] : [])]
    .map((key) => result.artifacts[key])
    .filter((path) => path !== undefined)
  const unreached = result.steps.filter(({ status }) => status === 'not_reached').length
  if (unreached > 0)
    standing.splice(1, 0, {
      icon: 'wait',
      tone: 'wait',
      text: `${unreached} ${unreached === 1 ? 'step was' : 'steps were'} not reached.`,
    })
  return (
    <WhyRed
      errorClass={result.error_class}
      step={result.step_failed}
      detail={failed?.detail ?? null}
      firstError={null}
      onFirstError={onLog}
      standing={standing}
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
