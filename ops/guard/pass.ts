import type { CheckResult } from '#shared/result'
import { runChecks, fail, pass, skip, warn, type Check } from '#ops/doctor/check'
import { allHealth } from '#ops/engines/all-services'
import { resumeServices } from '#ops/engines/resume'
import { lives } from '#ops/engines/service-process'
import { readRecords } from '#ops/engines/service-record'
import { readMaintenance } from '#ops/maintenance'
import type { HostPaths } from '#ops/paths'
import { readGuardLog } from './log.ts'

/** A service that has been started again so often within an hour needs a person, not another start. */
const restartsPerHour = 5
const hourMs = 3_600_000
/** Passes of the log that are looked at: more than an hour of a pass every 15 seconds. */
const lookBack = 300

export interface GuardPass { readonly checks: CheckResult[]; readonly restarted: string[]; readonly observedOnly: boolean }

/**
 * One pass of guard: it looks at every service and applies one safe, named remediation: a service whose process has
 * ended is started again from its own record, at most five times an hour. While maintenance is on it only looks.
 */
export async function guardPass(paths: HostPaths, signal?: AbortSignal): Promise<GuardPass> {
  const observedOnly = readMaintenance(paths).on
  const dead = readRecords(paths).filter((record) => !lives(record)).map(({ name }) => name)
  const recent = restartsOf(paths)
  const allowed = observedOnly ? [] : dead.filter((name) => (recent.get(name) ?? 0) < restartsPerHour)
  const resumed = allowed.length > 0 ? await resumeServices(paths, { log: () => undefined, ...(signal ? { signal } : {}) }, allowed) : []
  const restarted = resumed.filter(({ state }) => state === 'started').map(({ name }) => name)
  const health = await allHealth(paths, signal)
  const services = health.map(({ name, alive, why, detail }): Check => ({
    name: `service:${name}`, remedy: 'deploy_again',
    run: () => {
      const count = recent.get(name) ?? 0
      if (!alive && !observedOnly && count >= restartsPerHour) return fail(`${detail}; started again ${count} times within the last hour, so it is left as it is`, 'fix_and_ship')
      const failed = resumed.find((each) => each.name === name && each.state === 'failed')
      if (failed) return fail(`It had ended and could not be started again: ${failed.problem?.message ?? detail}`, 'deploy_again')
      if (why !== null) return fail(detail, 'deploy_again')
      return restarted.includes(name) ? warn(`${detail}; it had ended and was started again`, 'deploy_again') : pass(detail)
    },
  }))
  const mode: Check = {
    name: 'mode', remedy: 'deploy_again',
    run: () => (observedOnly ? pass('Maintenance mode is on: guard only looks.') : pass(restarted.length > 0 ? `Started again: ${restarted.join(', ')}.` : 'Nothing had to be done.')),
  }
  const none: Check = { name: 'services', remedy: 'deploy_again', run: () => skip('No deploy has started services yet.') }
  return { checks: await runChecks([mode, ...(services.length > 0 ? services : [none])], signal), restarted, observedOnly }
}

/** How often each service was started again within the last hour. */
function restartsOf(paths: HostPaths): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { time, restarted } of readGuardLog(paths, lookBack).lines) {
    if (Date.now() - Date.parse(time) > hourMs) continue
    for (const name of restarted) counts.set(name, (counts.get(name) ?? 0) + 1)
  }
  return counts
}
