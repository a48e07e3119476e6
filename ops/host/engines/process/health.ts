// The health of every service that was started as a process, and whether it is the version that was built.
import { readlinkSync } from 'node:fs'
import { shortCommit } from '#shared/ids'
import { probeHealth, whyNotOk } from '#ops/base/http/health'
import { httpRequest } from '#ops/base/http/request'
import { listenersOn } from '#ops/platform/net/sockets'
import type {
  EngineHost,
  Expected,
  RunningReport,
  ServiceHealth,
} from '#ops/host/engines/common/engine'
import { readRecords, readServing, type ServiceRecord } from '#ops/core/host-state/service-record'
import { lives, processesOf, serviceUrl } from './service-process.ts'

/** Probes each service that should be up, once. @throws {Problem} `state_invalid` */
export const processHealth = (
  { paths }: EngineHost,
  signal?: AbortSignal,
): Promise<ServiceHealth[]> =>
  Promise.all(
    readRecords(paths).map(async (record) => {
      const { name, kind, port, pid, sha } = record
      const alive = lives(record)
      const why = alive ? await whyUnhealthy(record, signal) : `process ${pid} has ended`
      const version = sha === null ? '' : `, ${shortCommit(sha)}`
      const detail =
        why === null
          ? `${name} answers on port ${port} (process ${pid}${version})`
          : `${name} at ${serviceUrl(port, record.health.path)}: ${why}`
      return { name, kind, alive, why, detail }
    }),
  )

/** Why the service does not answer as it should; null when it does. */
export const whyUnhealthy = (
  { port, sha, health }: ServiceRecord,
  signal?: AbortSignal,
): Promise<string | null> =>
  probeHealth(
    serviceUrl(port, health.path),
    { commitField: health.commit_field, commit: sha },
    signal ? { signal } : {},
  )

/** Compares what runs with what was built. @throws {Problem} `state_invalid` */
export async function processRunning(
  { paths }: EngineHost,
  expected: Expected,
  signal?: AbortSignal,
): Promise<RunningReport> {
  const sha = expected.sha ?? readServing(paths)?.sha ?? null
  const records = readRecords(paths).filter(({ kind }) => kind === 'project')
  const wrong = await Promise.all(
    records.map((record) => whyOtherVersion(record, { sha, digest: expected.digest }, signal)),
  )
  return {
    wrong: wrong.filter((why) => why !== null),
    good: records.map(
      ({ name, digest }) =>
        `${name} runs ${sha === null ? 'no commit' : shortCommit(sha)}, digest ${digest.slice(0, 12)}`,
    ),
  }
}

/**
 * What runs must be what was built: the recorded digest and folder, the process's own folder, its listener, its
 * answer.
 */
async function whyOtherVersion(
  record: ServiceRecord,
  { sha, digest }: Expected,
  signal: AbortSignal | undefined,
): Promise<string | null> {
  const { name, pid, port, release, health } = record
  if (sha !== null && record.sha !== sha)
    return `${name} was started as ${record.sha ?? 'no commit'}, not ${sha}`
  if (digest !== null && record.digest !== digest)
    return `${name} was started from a build with another digest`
  if (!lives(record)) return `process ${pid} of ${name} has ended`
  if (process.platform === 'linux' && readlinkSync(`/proc/${pid}/cwd`) !== release)
    return `process ${pid} of ${name} runs in another folder than ${release}`
  const own = new Set(processesOf(record))
  if (!listenersOn(port).some(({ pids }) => pids.some((each) => own.has(each))))
    return `no process of ${name} listens on its port ${port}`
  const why = whyNotOk(await httpRequest(serviceUrl(port, health.path), signal ? { signal } : {}), {
    commitField: health.commit_field,
    commit: record.sha,
  })
  return why === null ? null : `${name} on port ${port}: ${why}`
}
