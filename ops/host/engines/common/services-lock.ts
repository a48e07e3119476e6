// One process at a time starts or stops services of this host.
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { withLock } from '#ops/base/files/lock'
import type { HostPaths } from '#ops/base/paths/paths'

/** Longest wait for another process to finish with the services, in milliseconds. */
const defaultPatienceMs = 60_000

/**
 * Does `work` while no other process (deploy, guard, `hq up`) starts or stops services of this host.
 * @param options `patienceMs`: longest wait for that, milliseconds
 * @throws {Problem} `lane_busy` when another process has held the services that long
 */
export function withServicesLock<T>(
  paths: HostPaths,
  work: () => Promise<T>,
  options: { readonly signal?: AbortSignal | undefined; readonly patienceMs?: number } = {},
): Promise<T> {
  const { signal, patienceMs = defaultPatienceMs } = options
  const busy = (): Problem =>
    new Problem(
      'lane_busy',
      `Another process has been starting or stopping services for ${patienceMs / 1000} s. ` +
        'No service was touched.',
    )
  return withLock(join(paths.locks, 'services.lock'), { waitMs: patienceMs, busy, signal }, work)
}
