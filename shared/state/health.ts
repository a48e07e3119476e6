/** What doctor and the port audit found, how old that is, and whether it still says how the host is. */
import { count, shortRun, span } from '../format.ts'
import { oneOrMany } from '../plural.ts'
import type { CheckResult, ChecksResult } from '../result.ts'
import { isEnded } from '../run.ts'
import { unreadableDeploy, unreadableOf } from './gates.ts'
import type { Standing } from './standing.ts'
import type { Tone } from './tone.ts'

export interface Health {
  readonly title: string
  readonly tone: Tone
  /** Why the checks do not say how the host is now; null: they do. */
  readonly outdated: string | null
  readonly ports: Ports
}

/** What was last read of the ports: by the port audit, or by a doctor, which reads them too. */
export interface Ports {
  readonly checks: readonly CheckResult[]
  /** How many can be reached from outside. */
  readonly open: number
  /** When they were read; null: never. */
  readonly at: string | null
  /** The deploy whose doctor read them; null: none. */
  readonly deploy_run_id: string | null
  readonly sentence: string
}

export function healthOf(standing: Standing): Health {
  const { status } = standing.overview
  const doctor = status?.last_doctor ?? null
  const unreadable = unreadableOf('doctor', status)
  const outdated =
    unreadable === null
      ? doctor && outdatedBy(standing, doctor)
      : `the result of doctor ${shortRun(unreadable.run_id ?? '')} cannot be read`
  return {
    ...(unreadable === null
      ? found(doctor, outdated)
      : { title: 'The last result of doctor cannot be read', tone: 'fail' }),
    outdated,
    ports: portsOf(doctor, status?.last_port_audit ?? null),
  }
}

function found(
  doctor: ChecksResult | null,
  outdated: string | null,
): Pick<Health, 'title' | 'tone'> {
  if (doctor === null) return { title: 'Doctor has not run yet', tone: 'wait' }
  const failing = numberOf(doctor, 'FAIL')
  if (failing > 0) {
    const verb = oneOrMany(failing, 'fails', 'fail')
    return { title: `${count(failing, 'check')} of ${doctor.checks.length} ${verb}`, tone: 'fail' }
  }
  if (outdated !== null) return { title: 'The checks passed before', tone: 'warn' }
  const warnings = numberOf(doctor, 'WARN')
  return warnings > 0
    ? { title: `Healthy, with ${count(warnings, 'warning')}`, tone: 'warn' }
    : { title: 'Healthy', tone: 'pass' }
}

const numberOf = (result: ChecksResult, status: CheckResult['status']): number =>
  result.checks.filter((check) => check.status === status).length

/** What has happened since doctor ran that its checks could not know. */
function outdatedBy(standing: Standing, doctor: ChecksResult): string | null {
  const { overview, reach, maintenance, now } = standing
  const age = span(now - Date.parse(doctor.finished_at))
  if (reach.stale) return `${reach.name} does not answer; doctor ran ${age} before now`
  const { status } = overview
  if (unreadableDeploy(status) !== null) return 'the result of the last deploy cannot be read'
  const last = status?.recent_deploys.find((run) => isEnded(run.status))
  if (last && last.status !== 'passed' && (last.finished_at ?? '') > doctor.finished_at)
    return `the last deploy failed after doctor ran, ${age} ago`
  if (maintenance.held === 'left')
    return `maintenance was left on and pauses the background doctor, which ran ${age} ago`
  return null
}

const isPort = ({ name, status }: CheckResult): boolean =>
  name.startsWith('ports:') && status !== 'SKIP'

function portsOf(doctor: ChecksResult | null, audit: ChecksResult | null): Ports {
  const newest =
    [doctor && { ...doctor, checks: doctor.checks.filter(isPort) }, audit]
      .filter((result) => result !== null)
      .filter(({ checks }) => checks.length > 0)
      .toSorted((a, b) => b.finished_at.localeCompare(a.finished_at))[0] ?? null
  if (newest === null)
    return {
      checks: [],
      open: 0,
      at: null,
      deploy_run_id: null,
      sentence: 'The ports have not been read yet.',
    }
  const open = numberOf(newest, 'FAIL')
  return {
    checks: newest.checks,
    open,
    at: newest.finished_at,
    deploy_run_id: newest.deploy_run_id,
    sentence:
      open > 0
        ? `${count(open, 'port')} can be reached from outside.`
        : 'No port was found that can be reached from outside loopback and the tailnet.',
  }
}
