import { Problem, toProblem } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import type { Progress } from '#ops/host/engines/common/engine'
import { requirePort, startOnPort } from './handover.ts'
import { lookAt } from '#ops/base/http/health'
import { lives, serviceUrl, specOf, stopService } from './service-process.ts'
import { readRecord, readRecords, type ServiceRecord } from '#ops/core/host-state/service-record'
import { withServicesLock } from '#ops/host/engines/common/services-lock'

export interface Resumed {
  readonly name: string
  readonly state: 'running' | 'started' | 'failed'
  readonly problem: Problem | null
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
 * Starts again what was last up and is not (after a reboot or a stop). One service that does not start does not keep
 * the others from starting.
 * @throws {Problem} `state_invalid` when the records cannot be read, `lane_busy` when a deploy is at it
 */
export async function resumeServices(
  paths: HostPaths,
  progress: Progress = { log: () => undefined },
): Promise<Resumed[]> {
  return withServicesLock(
    paths,
    async () => {
      const results: Resumed[] = []
      for (const record of readRecords(paths)) {
        if (lives(record)) {
          results.push({ name: record.name, state: 'running', problem: null })
          continue
        }
        try {
          await startAgain(paths, record, progress)
          results.push({ name: record.name, state: 'started', problem: null })
        } catch (error) {
          results.push({ name: record.name, state: 'failed', problem: toProblem(error) })
        }
      }
      return results
    },
    progress.signal,
  )
}

/**
 * Starts one service again in its recorded version, whether it has ended or hangs.
 * @param patienceMs longest wait for another process that is at the services, milliseconds
 * @returns its new record; null when it is well, after all, and was not touched
 * @throws {Problem} `lane_busy`, `state_invalid`, `port_in_use`, `service_unhealthy`, `public_port`
 */
export const restartService = (
  paths: HostPaths,
  name: string,
  progress: Progress,
  patienceMs: number,
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
      const {
        port,
        sha,
        health: { path, commit_field },
      } = record
      // Looked at once more: a deploy may have been at it until now, and this is its new version.
      if (
        lives(record) &&
        (await lookAt(
          serviceUrl(port, path),
          { commitField: commit_field, commit: sha },
          progress.signal ? { signal: progress.signal } : {},
        )) === null
      )
        return null
      return await startAgain(paths, record, progress)
    },
    progress.signal,
    patienceMs,
  )

/** Stops all services; their records stay, so that `resumeServices` can start them again. */
export async function stopServices(paths: HostPaths): Promise<void> {
  await withServicesLock(paths, async () => {
    for (const record of readRecords(paths)) await stopService(record, record.name)
  })
}
