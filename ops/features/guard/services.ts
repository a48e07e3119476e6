import { processEngine } from '#ops/host/engines/registry'
import { restartService } from '#ops/host/engines/process/resume'
import { readRecords } from '#ops/core/host-state/service-record'
import { stillStarting } from './age.ts'
import { lockPatienceMs, type GuardHost, type Remediation, type Seen } from './remediation.ts'

async function look({ paths }: GuardHost, signal?: AbortSignal): Promise<Seen[]> {
  const records = new Map(readRecords(paths).map((record) => [record.name, record]))
  return (await processEngine.health(paths, signal)).map(({ name, alive, why, detail }): Seen => {
    const of = (state: Seen['state'], text: string): Seen => ({
      target: name,
      check: `service:${name}`,
      state,
      detail: text,
    })
    if (why === null) return of('good', detail)
    const record = records.get(name)
    const seconds = record?.health.timeout_seconds ?? 0
    if (alive && record && stillStarting(record.started_at, seconds))
      return of('fail', `${detail}; it was started less than ${seconds} s ago`)
    return of('due', detail)
  })
}

/** Services of the engine `process`: ended, or alive and unhealthy at every look. */
export const restartDeadService: Remediation = {
  id: 'restart_service',
  undone: 'FAIL',
  look,
  apply: async ({ paths }, name, signal) => {
    const started = await restartService(
      paths,
      name,
      { log: () => undefined, ...(signal ? { signal } : {}) },
      lockPatienceMs,
    )
    return started === null
      ? { acted: false, reason: 'it is well again without a restart' }
      : {
          acted: true,
          reason: `it was started again as process ${started.pid} and answers on port ${started.port}`,
        }
  },
}
