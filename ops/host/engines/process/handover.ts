// Replaces one service by its new version, and takes that back when the new version does not get healthy.
import { Problem, toProblem } from '#shared/errors'
import { freePort } from '#ops/base/process/free-port'
import type { HostPaths } from '#ops/base/paths/paths'
import { listenersOn, programName } from '#ops/platform/net/sockets'
import { watchAvailability } from '#ops/host/engines/common/availability'
import type { Progress } from '#ops/host/engines/common/engine'
import {
  forgetCandidate,
  noteCandidate,
  readRecord,
  removeRecord,
  writeRecord,
  type ServiceRecord,
  type ServiceSpec,
} from '#ops/core/host-state/service-record'
import {
  lives,
  processesOf,
  recordOf,
  requireHealthy,
  serviceUrl,
  specOf,
  startService,
  stopService,
} from './service-process.ts'

/** True when what runs is what `spec` describes. */
export const isUnchanged = (
  record: ServiceRecord | undefined,
  spec: ServiceSpec,
): record is ServiceRecord =>
  record !== undefined &&
  lives(record) &&
  record.sha === spec.sha &&
  record.digest === spec.digest &&
  record.port === spec.port &&
  JSON.stringify([record.argv, record.env, record.health]) ===
    JSON.stringify([spec.argv, spec.env, spec.health])

/**
 * The port must be free, or held by the version of this service that is going to be replaced.
 * @throws {Problem} `port_in_use`, naming the process
 */
export function requirePort(
  spec: Pick<ServiceSpec, 'name' | 'port'>,
  old: ServiceRecord | undefined,
): void {
  const own = new Set(old ? processesOf(old) : [])
  for (const { pids } of listenersOn(spec.port)) {
    if (pids.some((pid) => own.has(pid))) continue
    const who =
      pids.length === 0
        ? 'a process of another user'
        : `process ${pids.map((pid) => `${pid} (${programName(pid)})`).join(', ')}`
    throw new Problem(
      'port_in_use',
      `Port ${spec.port} of service ${spec.name} is taken by ${who}. Nothing was stopped or started.`,
    )
  }
}

/**
 * Proves that a new version works before the old one is touched: it is started on a free port, must be healthy and
 * unreachable from outside, and is stopped again.
 * @throws {Problem} `service_unhealthy` or `public_port`; the version that serves goes on serving
 */
export async function proveCandidate(
  paths: HostPaths,
  spec: ServiceSpec,
  { log, signal }: Progress,
): Promise<void> {
  const port = await freePort()
  const candidate = await startService(paths, spec, port)
  // Noted, so that the next deploy finds and stops it when this one is killed now.
  noteCandidate(paths, recordOf({ ...spec, port }, candidate))
  log(`${spec.name}: candidate started on port ${port} as process ${candidate.pid}`)
  try {
    await requireHealthy(spec, candidate, signal)
    log(`${spec.name}: candidate is healthy`)
  } finally {
    await stopService(candidate, spec.name)
    forgetCandidate(paths, spec.name)
  }
}

/** How one service's change of version went, and how to take it back. */
export interface Handover {
  readonly name: string
  /** Milliseconds without an answer; null when there was no old version. */
  readonly unansweredMs: number | null
  /** Stops the new version and starts the old one again, if there was one. */
  readonly undo: () => Promise<void>
}

/**
 * Stops the old version and starts the new one on its port. When the new one does not get healthy there, the old one is
 * started again.
 * @throws {Problem} `service_unhealthy`, `public_port` or `port_in_use`; the message says whether the old version
 *   serves again
 */
export async function switchVersion(
  paths: HostPaths,
  spec: ServiceSpec,
  progress: Progress,
): Promise<Handover> {
  const old = readRecord(paths, spec.name)
  requirePort(spec, old)
  const served = old !== undefined && lives(old) && old.port === spec.port
  const watch = served ? watchAvailability(serviceUrl(spec.port, spec.health.path)) : null
  try {
    if (old) await stopService(old, spec.name)
    await startOnPort(paths, spec, progress)
  } catch (error) {
    await watch?.stop()
    throw await restartOld(paths, { name: spec.name, old, failure: toProblem(error) }, progress)
  }
  const unansweredMs = watch ? await watch.stop() : null
  return {
    name: spec.name,
    unansweredMs,
    undo: async () => {
      const now = readRecord(paths, spec.name)
      if (now) await stopService(now, spec.name)
      if (old) await startOnPort(paths, specOf(old), { log: progress.log })
      else removeRecord(paths, spec.name)
    },
  }
}

/**
 * Starts a service on its own port and waits until it is healthy.
 * @throws {Problem} as `requireHealthy`; the service is then stopped
 */
export async function startOnPort(
  paths: HostPaths,
  spec: ServiceSpec,
  { log, signal }: Progress,
): Promise<ServiceRecord> {
  const instance = await startService(paths, spec)
  const record = recordOf(spec, instance)
  // Recorded before it is known to be healthy: if this process dies now, the next one finds and stops it.
  writeRecord(paths, record)
  try {
    await requireHealthy(spec, instance, signal)
  } catch (error) {
    await stopService(instance, spec.name)
    throw error
  }
  log(`${spec.name}: process ${instance.pid} answers on port ${spec.port}`)
  return record
}

interface FailedSwitch {
  readonly name: string
  readonly old: ServiceRecord | undefined
  readonly failure: Problem
}

/** Starts the old version again, if there was one. @returns the failure, its message saying what serves now */
async function restartOld(
  paths: HostPaths,
  { name, old, failure }: FailedSwitch,
  { log }: Progress,
): Promise<Problem> {
  if (!old) {
    removeRecord(paths, name)
    return failure
  }
  try {
    // Without the signal: a cancelled deploy must still leave the old version serving.
    await startOnPort(paths, specOf(old), { log })
    return new Problem(
      failure.errorClass,
      `${failure.message} The previous version was started again and answers.`,
      { cause: failure, evidence: failure.evidence },
    )
  } catch (error) {
    const second = toProblem(error)
    return new Problem(
      failure.errorClass,
      `${failure.message} The previous version could not be started again either: ${second.message}`,
      { cause: failure, evidence: [...failure.evidence, ...second.evidence] },
    )
  }
}
