import { useQuery } from '@tanstack/react-query'
import { useMemo, type ReactElement } from 'react'
import type { RunDetail } from '#shared/api'
import { actionOf } from '#shared/actions'
import { errorRule } from '#shared/errors'
import type { RemediationId } from '#shared/errors/remediations'
import { stoppedNothing } from '#shared/steps'
import { triage as triageSchema, type ResultDocument, type Triage } from '#shared/result'
import { useLive } from '../state/live.tsx'
import { useHq } from '../bridge/context.ts'
import { fileQuery } from '../bridge/queries.ts'
import { FileLink } from '../ui/file-sheet.tsx'
import { nextFix, WhyRed, type Standing } from '../ui/why-red.tsx'
import { shortCommit, span } from '../text/format.ts'

const refused = new Set<string>(['rolled_back', 'rollback_unavailable'])
/** A rollback is a deploy too; one that was refused before it began left nothing in its folder. */
export const isDeployRun = (run: RunDetail | null): boolean =>
  (run?.action === 'deploy_and_verify' || run?.action === 'rollback') &&
  !refused.has(run.error_class ?? '')

/** The triage of a failed deploy: from the overview when it is the last one, else from its own folder. */
export function useTriage(
  runId: string,
  run: RunDetail | null,
): { triage: Triage | null; named: { step: string; line: number } | null } {
  const { bridge } = useHq()
  const {
    overview: { status },
  } = useLive()
  const last = status?.last_deploy.triage ?? null
  const known = last?.run_id === runId ? last : null
  const wanted = known === null && isDeployRun(run) && run?.status === 'failed'
  const file = useQuery({
    ...fileQuery(bridge, { source: 'host', runId, path: `deploy/${runId}/triage.json` }),
    enabled: wanted,
  }).data
  const text = file?.text
  return useMemo(() => {
    const triage = known ?? parse(text)
    const first = triage?.first_error ?? null
    return {
      triage,
      named: first
        ? { step: first.log.replace(/^.*\//, '').replace(/\.log$/, ''), line: first.line }
        : null,
    }
  }, [known, text])
}

function parse(text: string | undefined): Triage | null {
  if (text === undefined) return null
  try {
    return triageSchema.parse(JSON.parse(text))
  } catch {
    return null // off its form: the run's own class and log say enough
  }
}

/** A deploy that has stopped is not started again by anybody but a person, whatever its remedy would be in a run that goes on. */
const startedByHand: Partial<Record<RemediationId, (title: string) => string>> = {
  retry_when_reachable: (title) =>
    `Press ${title} again once the remote answers; nothing tries again by itself.`,
  deploy_again: (title) =>
    `Press ${title} again: it fetches main afresh and starts from the first step.`,
}

interface Props {
  readonly run: RunDetail
  readonly result: ResultDocument | null
  readonly triage: Triage | null
  readonly onFirstError: (() => void) | null
}

export function RunWhyRed({ run, result, triage, onFirstError }: Props): ReactElement | null {
  const {
    overview: { status },
    now,
  } = useLive()
  const errorClass =
    run.error_class ??
    (run.status === 'runner_lost' || run.status === 'cancelled' || run.status === 'interrupted'
      ? run.status
      : null)
  if (errorClass === null) return null
  const failed = result?.steps.find(({ name }) => name === result.step_failed)
  const unreached = result?.steps.filter(({ status: how }) => how === 'not_reached').length ?? 0
  const isDeploy = isDeployRun(run)
  const standing: Standing[] = []
  const serving = status?.host.serving ?? null
  if (isDeploy && serving)
    standing.push({
      icon: 'pass',
      tone: 'pass',
      text: (
        <>
          <code className="mono">{shortCommit(serving)}</code> serves now.
          {stoppedNothing(result?.step_failed ?? '') && ' Nothing was stopped.'}
        </>
      ),
    })
  const { maintenance } = status ?? {}
  if (isDeploy && maintenance?.on)
    standing.push({
      icon: 'maintenance',
      tone: 'warn',
      text: `Maintenance stays on${maintenance.file ? `, ${span(now - Date.parse(maintenance.file.since))} so far` : ''}. It ends with the next green deploy.`,
    })
  if (unreached > 0)
    standing.push({
      icon: 'wait',
      tone: 'wait',
      text: `${unreached} ${unreached === 1 ? 'step was' : 'steps were'} not reached.`,
    })
  const fix = triage?.next_auto_fix ?? result?.next_auto_fix ?? errorRule(errorClass).next_auto_fix
  const byHand = isDeploy && triage?.retryable !== true ? startedByHand[fix] : undefined
  if (byHand !== undefined)
    standing.push({
      icon: 'you',
      tone: 'you',
      text: (
        <>
          <b className="strong">Needs you:</b> {byHand(actionOf(run.action).title)}
        </>
      ),
    })
  else
    standing.push(
      nextFix(
        fix,
        triage && !triage.retryable && errorClass !== 'cancelled' && errorClass !== 'interrupted'
          ? ' This commit is not retried as it is.'
          : '',
      ),
    )
  const file = (path: string): ReactElement => (
    <FileLink key={path} file={{ source: 'host', runId: run.run_id, path }}>
      {path.replace(/^.*\//, '')}
    </FileLink>
  )
  const folder = `deploy/${run.run_id}`
  return (
    <WhyRed
      errorClass={errorClass}
      step={run.step_failed}
      detail={failed?.detail ?? null}
      firstError={triage?.first_error ?? null}
      onFirstError={onFirstError}
      standing={standing}
      evidence={
        isDeploy ? (
          <>
            {triage && file(`${folder}/triage.json`)}
            {result && file(`${folder}/deploy_result.json`)}
            {file(`runs/${run.run_id}/run.json`)}
          </>
        ) : (
          <>
            {file(`runs/${run.run_id}/run.json`)}
            {run.result && file(`runs/${run.run_id}/result.json`)}
          </>
        )
      }
    />
  )
}
