import { useQuery } from '@tanstack/react-query'
import { useMemo, type ReactElement } from 'react'
import type { RunDetail } from '#shared/api'
import { actionOf, actions } from '#shared/actions'
import { errorRule, type ErrorClass } from '#shared/errors'
import type { RemediationId } from '#shared/errors/remediations'
import { personsMaintenance } from '#shared/maintenance'
import { stoppedNothing } from '#shared/steps'
import { triage as triageSchema, type ResultDocument, type Triage } from '#shared/result'
import { supersededBy } from '#shared/state/running'
import { useLive, type Live } from '../state/live.tsx'
import { useHq } from '../bridge/context.ts'
import { useRemedy } from '../ui/remedy.ts'
import { evidenceFileQuery } from '../bridge/queries.ts'
import { bytesOfBase64, textOfBytes } from '../text/base64.ts'
import { FileLink } from '../ui/file-link.tsx'
import { nextFix, notReached, superseded, WhyRed, type Standing } from '../ui/why-red.tsx'
import { shortCommit, span } from '../text/format.ts'

const refused = new Set<string>(['rolled_back', 'rollback_unavailable'])
/** A person's maintenance also stops a deploy that runs: then it names the step. */
const refusedAtStart = ({ error_class, step_failed }: RunDetail): boolean =>
  refused.has(error_class ?? '') || (error_class === 'maintenance_held' && step_failed === null)
/** A rollback is a deploy too; one that was refused before it began left nothing in its folder. */
export const isDeployRun = (run: RunDetail | null): boolean =>
  (run?.action === 'deploy_and_verify' || run?.action === 'rollback') && !refusedAtStart(run)

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
    ...evidenceFileQuery(bridge, { side: 'host', folder: 'deploy', run_id: runId }, 'triage.json'),
    enabled: wanted,
  }).data
  const content = file?.base64
  return useMemo(() => {
    const triage = known ?? parse(content)
    const first = triage?.first_error ?? null
    return {
      triage,
      named: first
        ? { step: first.log.replace(/^.*\//, '').replace(/\.log$/, ''), line: first.line }
        : null,
    }
  }, [known, content])
}

function parse(content: string | undefined): Triage | null {
  if (content === undefined) return null
  try {
    return triageSchema.parse(JSON.parse(textOfBytes(bytesOfBase64(content))))
  } catch {
    return null // off its form: the run's own class and log say enough
  }
}

/** A stopped deploy starts again only by hand, whatever its remedy would be in a run that goes on. */
const startedByHand: Partial<Record<RemediationId, (title: string) => string>> = {
  retry_when_reachable: (title) =>
    `Press ${title} again once the remote answers; nothing tries again by itself.`,
  deploy_again: (title) =>
    `Press ${title} again: it fetches main again and starts from the first step.`,
}

interface Props {
  readonly run: RunDetail
  readonly result: ResultDocument | null
  readonly triage: Triage | null
  readonly onFirstError: (() => void) | null
}

/** Why a run of the host is red: its class, its first error, where things stand, and its files. */
export function RunWhyRed({ run, result, triage, onFirstError }: Props): ReactElement | null {
  const live = useLive()
  const remedy = useRemedy()
  const errorClass = classOf(run)
  if (errorClass === null) return null
  const past = superseded(supersededBy(run, live.overview.status), '/runs')
  const failed = result?.steps.find(({ name }) => name === result.step_failed)
  return (
    <WhyRed
      errorClass={errorClass}
      step={run.step_failed}
      detail={failed?.detail ?? null}
      firstError={triage?.first_error ?? null}
      onFirstError={onFirstError}
      standing={[
        ...(isDeployRun(run) ? [servingNow(live, result)] : []),
        ...(past === null && concernsMaintenance(run, errorClass) ? [maintenanceOn(live)] : []),
        notReached(result),
        past ?? nextStep({ run, result, triage }, errorClass, remedy),
      ].filter((each) => each !== null)}
      evidence={<Evidence run={run} result={result} triage={triage} />}
    />
  )
}

const concernsMaintenance = (run: RunDetail, errorClass: ErrorClass): boolean =>
  isDeployRun(run) || errorClass === 'maintenance_held'

const endedBy = new Set<string>(['runner_lost', 'cancelled', 'interrupted'])
const classOf = ({ error_class, status }: RunDetail): ErrorClass | null =>
  error_class ?? (endedBy.has(status) ? (status as ErrorClass) : null)

function servingNow(
  { overview: { status } }: Live,
  result: ResultDocument | null,
): Standing | null {
  const serving = status?.host.serving ?? null
  if (!serving) return null
  return {
    icon: 'pass',
    tone: 'pass',
    text: (
      <>
        <code className="mono">{shortCommit(serving)}</code> serves now.
        {stoppedNothing(result?.step_failed ?? '') && ' Nothing was stopped.'}
      </>
    ),
  }
}

function maintenanceOn({ overview: { status }, now }: Live): Standing | null {
  const { maintenance } = status ?? {}
  if (!maintenance?.on) return null
  const { file } = maintenance
  const person = personsMaintenance(maintenance)
  const start = person?.since ?? file?.since
  const since = start === undefined ? '' : `, ${span(now - Date.parse(start))} so far`
  return {
    icon: 'maintenance',
    tone: 'warn',
    text:
      person === null
        ? `Maintenance stays on${since}. It ends with the next green deploy.`
        : `Maintenance stays on${since}. Only ${actions.maintenance_clear.button} in HQ ends it.`,
  }
}

function nextStep(
  { run, result, triage }: Omit<Props, 'onFirstError'>,
  errorClass: ErrorClass,
  remedy: (id: RemediationId) => string,
): Standing {
  const fix = triage?.next_auto_fix ?? result?.next_auto_fix ?? errorRule(errorClass).next_auto_fix
  const byHand = isDeployRun(run) && triage?.retryable !== true ? startedByHand[fix] : undefined
  if (byHand !== undefined)
    return {
      icon: 'you',
      tone: 'you',
      text: (
        <>
          <b className="strong">Needs you:</b> {byHand(actionOf(run.action).title)}
        </>
      ),
    }
  const final = triage && !triage.retryable
  const stopped = errorClass === 'cancelled' || errorClass === 'interrupted'
  return nextFix(fix, remedy(fix), final && !stopped ? ' This commit is not retried as it is.' : '')
}

function Evidence({ run, result, triage }: Omit<Props, 'onFirstError'>): ReactElement {
  const folder = `deploy/${run.run_id}`
  const paths = isDeployRun(run)
    ? [
        triage && `${folder}/triage.json`,
        result && `${folder}/deploy_result.json`,
        `runs/${run.run_id}/run.json`,
      ]
    : [`runs/${run.run_id}/run.json`, run.result ? `runs/${run.run_id}/result.json` : null]
  return (
    <>
      {paths
        .filter((path) => path !== null)
        .map((path) => (
          <FileLink key={path} file={{ source: 'host', runId: run.run_id, path }}>
            {path.replace(/^.*\//, '')}
          </FileLink>
        ))}
    </>
  )
}
