import { toProblem, type Problem } from '#shared/errors'
import type { HostPaths } from '#ops/paths'
import { requirePort, startOnPort, type Progress } from './handover.ts'
import { lives, specOf, stopService } from './service-process.ts'
import { readRecords } from './service-record.ts'
import { withServicesLock } from './services-lock.ts'

export interface Resumed { readonly name: string; readonly state: 'running' | 'started' | 'failed'; readonly problem: Problem | null }

/**
 * Starts again what was last up and is not (after a reboot or a stop). One service that does not start does not keep
 * the others from starting.
 * @param only names; without it all
 * @throws {Problem} `state_invalid` when the records cannot be read, `lane_busy` when a deploy is at it
 */
export async function resumeServices(paths: HostPaths, progress: Progress = { log: () => undefined }, only?: readonly string[]): Promise<Resumed[]> {
  return withServicesLock(paths, async () => {
    const results: Resumed[] = []
    for (const record of readRecords(paths)) {
      if (only && !only.includes(record.name)) continue
      if (lives(record)) {
        results.push({ name: record.name, state: 'running', problem: null })
        continue
      }
      try {
        await stopService(record, record.name) // its leader is gone; what it left behind may hold the port
        requirePort(record, undefined)
        await startOnPort(paths, specOf(record), progress)
        results.push({ name: record.name, state: 'started', problem: null })
      } catch (error) {
        results.push({ name: record.name, state: 'failed', problem: toProblem(error) })
      }
    }
    return results
  }, progress.signal)
}

/** Stops all services; their records stay, so that `resumeServices` can start them again. */
export async function stopServices(paths: HostPaths): Promise<void> {
  await withServicesLock(paths, async () => {
    for (const record of readRecords(paths)) await stopService(record, record.name)
  })
}
