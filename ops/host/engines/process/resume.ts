// Starts, restarts and stops services in the version that was recorded.
import { Problem, toProblem } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import type { Progress } from '#ops/host/engines/common/engine'
import { withServicesLock } from '#ops/host/engines/common/services-lock'
import { readRecord, readRecords, type ServiceRecord } from '#ops/core/host-state/service-record'
import { requirePort, startOnPort } from './handover.ts'
import { whyUnhealthy } from './health.ts'
import { lives, specOf, stopService } from './service-process.ts'

export interface Resumed {
  readonly name: string
  readonly state: 'running' | 'started' | 'failed'
  readonly problem: Problem | null
}

/**
 * Starts again what was last up and does not run (after a reboot or a stop). One service that does not start does not
 * keep the others from starting.
 * @throws {Problem} `state_invalid` when the records cannot be read, `lane_busy` when a deploy holds the services
 */
export const resumeServices = (
  paths: HostPaths,
  progress: Progress = { log: () => undefined },
): Promise<Resumed[]> =>
  withServicesLock(
    paths,
    async () => {
      const results: Resumed[] = []
      for (const record of readRecords(paths)) results.push(await resume(paths, record, progress))
      return results
    },
    { signal: progress.signal },
  )

async function resume(
  paths: HostPaths,
  record: ServiceRecord,
  progress: Progress,
): Promise<Resumed> {
  const { name } = record
  if (lives(record)) return { name, state: 'running', problem: null }
  try {
    await startAgain(paths, record, progress)
    return { name, state: 'started', problem: null }
  } catch (error) {
    return { name, state: 'failed', problem: toProblem(error) }
  }
}

/** Ends what is left of a service, which may hold its port, and starts the recorded version until it is healthy. */
async function startAgain(
  paths: HostPaths,
  record: ServiceRecord,
  progress: Progress,
): Promise<ServiceRecord> {
  await stopService(record, record.name)
  requirePort(record, undefined)
  return await startOnPort(paths, specOf(record), progress)
}

/**
 * Starts one service again in its recorded version, whether it has ended or hangs.
 * @param options `patienceMs`: longest wait for another process that holds the services, milliseconds
 * @returns its new record; null when it is healthy after all, and was not touched
 * @throws {Problem} `lane_busy`, `state_invalid`, `port_in_use`, `service_unhealthy`, `public_port`
 */
export const restartService = (
  paths: HostPaths,
  name: string,
  { progress, patienceMs }: { readonly progress: Progress; readonly patienceMs: number },
): Promise<ServiceRecord | null> =>
  withServicesLock(
    paths,
    async () => {
      const record = readRecord(paths, name)
      if (!record)
        throw new Problem(
          'state_invalid',
          `Service ${name} has no record any more. Nothing was started.`,
        )
      // Probed once more: a deploy may have held the lock until now, and this is its new version.
      if (lives(record) && (await whyUnhealthy(record, progress.signal)) === null) return null
      return await startAgain(paths, record, progress)
    },
    { signal: progress.signal, patienceMs },
  )

/** Stops all services. Their records stay, so that `resumeServices` can start them again. */
export const stopServices = (paths: HostPaths): Promise<void> =>
  withServicesLock(paths, async () => {
    for (const record of readRecords(paths)) await stopService(record, record.name)
  })
