// Everything that must be true of a running deploy, and the error class of each check.
import type { ProjectConfig } from '#shared/config'
import type { ErrorClass } from '#shared/errors'
import { newRunId } from '#shared/ids'
import type { CheckResult, ChecksResult } from '#shared/result'
import { fail, pass, runChecks, skip, type Check } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'
import { stateFinding } from '#ops/features/doctor/index'
import { runDoctor } from '#ops/features/doctor/index'
import { waitUntilOk } from '#ops/base/http/health'
import type { Expected } from '#ops/host/engines/common/engine'
import { heldEndpoints } from '#ops/features/deploy/sync/gates-before'
import { engineInUse } from '#ops/host/engines/registry'
import { readServing } from '#ops/core/host-state/service-record'
import { runGuard } from '#ops/features/guard/index'
import { auditChecks, auditClass } from '#ops/features/port-audit/index'

export interface Verification {
  readonly checks: CheckResult[]
  readonly guard: ChecksResult
}

/** Time for an endpoint to be healthy, in seconds: a service that has just started may still be warming up. */
const endpointSeconds = 15
/** Time for each part of the port audit, in milliseconds. */
const auditMs = 30_000

function endpointChecks({ config, configProblem, settings }: DoctorContext): Check[] {
  if (!config)
    return [
      {
        name: 'endpoint:configuration',
        remedy: 'fix_configuration',
        run: () =>
          fail(
            `The project's configuration cannot be read: ${configProblem ?? ''}`,
            'fix_configuration',
          ),
      },
    ]
  if (config.endpoints.length === 0)
    return [
      {
        name: 'endpoint:none',
        remedy: 'fix_configuration',
        run: () => skip('openclaw.config.json names no key endpoints.'),
      },
    ]
  return config.endpoints.map(({ service, path }): Check => ({
    name: `endpoint:${service}${path}`,
    remedy: 'fix_and_ship',
    limitMs: (endpointSeconds + 5) * 1000,
    run: async (signal) => {
      const port =
        settings.service_ports[service] ??
        config.services.find(({ name }) => name === service)?.port
      if (port === undefined)
        return fail(
          `The endpoint names the service ${service}, which is not configured.`,
          'fix_configuration',
        )
      const url = `http://127.0.0.1:${port}${path}`
      const why = await waitUntilOk(url, {}, { seconds: endpointSeconds, signal })
      return why === null ? pass(`${url} answers ok`) : fail(`${url}: ${why}`, 'fix_and_ship')
    },
  }))
}

/** What the version that was green last was checked by, and this one is not. */
function heldChecks(
  { config, settings }: DoctorContext,
  before: ProjectConfig | null,
  sha: string | null,
): Check[] {
  if (!config || !before) return []
  return heldEndpoints(config, before).map(({ service, path, port, commitField }): Check => ({
    name: `endpoint:${service}${path} (held)`,
    remedy: 'remove_check_first',
    limitMs: (endpointSeconds + 5) * 1000,
    run: async (signal) => {
      const url = `http://127.0.0.1:${settings.service_ports[service] ?? port}${path}`
      const expected = commitField === null ? {} : { commitField, commit: sha }
      const why = await waitUntilOk(url, expected, { seconds: endpointSeconds, signal })
      const whose = 'the version that was green last is checked here, and this commit is not'
      return why === null
        ? pass(`${url} answers ok; ${whose}`)
        : fail(`${url}: ${why}; ${whose}`, 'remove_check_first')
    },
  }))
}

function runningCheck(context: DoctorContext, expected: Expected): Check {
  return {
    name: 'running_version',
    remedy: 'deploy_again',
    limitMs: 10_000,
    run: async (signal) => {
      const serving = readServing(context.paths)
      const sha = expected.sha ?? serving?.sha ?? null
      if (sha === null) return skip('No deploy has started services yet.')
      if (serving?.sha !== sha)
        return fail(
          `${serving?.sha ?? 'Nothing'} is recorded as serving, not ${sha}.`,
          'deploy_again',
        )
      const engine = engineInUse(context.paths, context.config)
      const { wrong, good } = await engine.running(context, expected, signal)
      if (wrong.length > 0) return fail(`${wrong.join('; ')}.`, 'deploy_again')
      return pass(good.length === 0 ? 'no service is configured' : good.join('; '))
    },
  }
}

/** All checks of doctor or guard as one check. */
function summarise(name: string, checks: readonly CheckResult[]): CheckResult {
  const failed = checks.filter(({ status }) => status === 'FAIL')
  const warned = checks.filter(({ status }) => status === 'WARN')
  const counted = checks.filter(({ status }) => status !== 'SKIP').length
  const listed = (found: readonly CheckResult[]): string =>
    found.map((each) => `${each.name}: ${each.detail}`).join(' · ')
  const warnings = warned.length > 0 ? `, warnings: ${listed(warned)}` : ''
  const [worst] = [...failed, ...warned]
  return {
    name,
    status: counted === 0 ? 'FAIL' : (worst?.status ?? 'PASS'),
    detail: failed.length > 0 ? listed(failed) : `${counted} checks passed${warnings}`,
    remedy: worst?.remedy ?? null,
    duration_ms: Math.max(0, ...checks.map(({ duration_ms }) => duration_ms)),
  }
}

interface VerifyOptions {
  readonly signal?: AbortSignal
  readonly guardRunId?: string
  /** Configuration of the version that was green last, whose checks run too. */
  readonly before?: ProjectConfig | null
}

/** Checks everything that must be true of a running deploy. Guard runs once here: there may be no timer for it. */
export async function verify(
  context: DoctorContext,
  expected: Expected,
  { signal, guardRunId = newRunId(), before = null }: VerifyOptions = {},
): Promise<Verification> {
  const own = await runChecks(
    [
      ...endpointChecks(context),
      ...heldChecks(context, before, expected.sha),
      runningCheck(context, expected),
      ...auditChecks(context, auditMs),
      { name: 'state', remedy: 'deploy_again', run: () => stateFinding(context.paths) },
    ],
    signal,
  )
  const guard = await runGuard(context, {
    runId: guardRunId,
    deployRunId: context.deployRunId,
    ...(signal ? { signal } : {}),
  })
  const doctor = await runDoctor(context, signal)
  return { checks: [...own, summarise('doctor', doctor), summarise('guard', guard.checks)], guard }
}

/** The error class of a failed check of `verify`. */
export function verifyClass(check: CheckResult): ErrorClass {
  const { name } = check
  if (name.startsWith('endpoint:')) return 'endpoint_not_ok'
  if (name.startsWith('ports:')) return auditClass(check)
  switch (name) {
    case 'running_version':
      return 'running_version_mismatch'
    case 'state':
      return 'state_invalid'
    case 'doctor':
      return 'doctor_failed'
    case 'guard':
      return 'guard_failed'
    default:
      return 'internal_error'
  }
}
