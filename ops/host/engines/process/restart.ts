// How guard watches the services of the process engine, and restarts them.
import type { EngineGuard, GuardTarget } from '#ops/host/engines/common/engine'
import { stillStarting } from '#ops/host/engines/common/still-starting'
import { readRecords } from '#ops/core/host-state/service-record'
import { processHealth } from './health.ts'
import { restartService } from './resume.ts'

/** A service is due for a restart when its process has ended, or is alive and unhealthy. */
export const processGuard: EngineGuard = {
  remediation: 'restart_service',
  targets: async (host, signal) => {
    const records = new Map(readRecords(host.paths).map((record) => [record.name, record]))
    return (await processHealth(host, signal)).map(({ name, alive, why, detail }): GuardTarget => {
      const target = { target: name, check: `service:${name}` }
      if (why === null) return { ...target, state: 'good', detail }
      const record = records.get(name)
      const seconds = record?.health.timeout_seconds ?? 0
      if (alive && record && stillStarting(record.started_at, seconds))
        return {
          ...target,
          state: 'fail',
          detail: `${detail}; it was started less than ${seconds} s ago`,
        }
      return { ...target, state: 'due', detail }
    })
  },
  restart: async ({ host, target, patienceMs, signal }) => {
    const progress = { log: () => undefined, ...(signal ? { signal } : {}) }
    const started = await restartService(host.paths, target, { progress, patienceMs })
    return started === null
      ? { acted: false, reason: 'it is healthy again without a restart' }
      : {
          acted: true,
          reason: `it was started again as process ${started.pid} and answers on port ${started.port}`,
        }
  },
}
