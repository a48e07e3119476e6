// One start of a service as a process: start, stop, its processes and sockets, its health.
import { minimalEnv } from '#ops/base/env'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import { openSockets, socketName, type OpenSocket } from '#ops/platform/net/sockets'
import {
  bootId,
  endTree,
  identify,
  isAlive,
  members,
  type ProcessIdentity,
} from '#ops/base/process/process-tree'
import { redact } from '#ops/base/redact/redaction'
import { saidIn } from '#ops/host/engines/common/said-in'
import { waitUntilOk } from '#ops/base/http/health'
import type { ServiceRecord, ServiceSpec } from '#ops/core/host-state/service-record'
import { isLoopback } from '#ops/platform/net/addresses'

/** One start of a service. */
export interface Instance extends ProcessIdentity {
  readonly boot_id: string
  readonly instance: string
  readonly port: number
  readonly log: string
  /** Bytes of the log that are of earlier starts. */
  readonly logStart: number
}

/** A service's log is set aside once, at this size, when the service is started again. */
const rotateBytes = 16 * 1024 * 1024
/** Name of the marker by which everything that belongs to one start of a service is found. */
const marker = (instance: string): string => `OPENCLAW_SERVICE=${instance}`

export const serviceLog = (paths: HostPaths, name: string): string =>
  join(paths.services, name, 'service.log')
const candidateLog = (paths: HostPaths, name: string): string =>
  join(paths.services, name, 'candidate.log')
export const serviceUrl = (port: number, path: string): string => `http://127.0.0.1:${port}${path}`

/**
 * Starts a service in a new session, so that it outlives the run that started it. Its environment is built from
 * nothing and carries no marker of the run, or the run's end would end it too.
 * @param candidatePort the start is a trial on this port, with a log apart from that of the version that serves
 * @throws {Problem} `service_unhealthy` when the program cannot be started
 */
export async function startService(
  paths: HostPaths,
  spec: ServiceSpec,
  candidatePort?: number,
): Promise<Instance> {
  const instance = randomBytes(8).toString('hex')
  const port = candidatePort ?? spec.port
  mkdirSync(join(paths.services, spec.name), { recursive: true })
  const { log, output, logStart } = openLog(paths, spec.name, candidatePort !== undefined)
  try {
    const [program = '', ...args] = spec.argv
    const child = spawn(program, args, {
      cwd: spec.release,
      detached: true,
      stdio: ['ignore', output, output],
      env: {
        ...minimalEnv(),
        ...spec.env,
        PORT: String(port),
        HOST: '127.0.0.1',
        ...(spec.sha === null ? {} : { OPENCLAW_GIT_HEAD: spec.sha }),
        OPENCLAW_SERVICE: instance,
      },
    })
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve)
      child.once('error', (error) =>
        reject(
          new Problem(
            'service_unhealthy',
            `Service ${spec.name} cannot be started: ${error.message}`,
            { cause: error },
          ),
        ),
      )
    })
    child.unref()
    const pid = child.pid ?? 0
    // A process that has ended already has no start time; the health check then says that it ended.
    const identity = identify(pid) ?? { pid, pgid: pid, start_time: 'ended' }
    return { ...identity, pgid: pid, boot_id: bootId(), instance, port, log, logStart }
  } finally {
    closeSync(output)
  }
}

/** A candidate's log is of this one start; that of a service goes on. */
function openLog(
  paths: HostPaths,
  name: string,
  isCandidate: boolean,
): { log: string; output: number; logStart: number } {
  const log = isCandidate ? candidateLog(paths, name) : serviceLog(paths, name)
  if (!isCandidate && existsSync(log) && statSync(log).size > rotateBytes)
    renameSync(log, `${log}.1`)
  const output = openSync(log, isCandidate ? 'w' : 'a', 0o640)
  return { log, output, logStart: statSync(log).size }
}

type Started = Pick<Instance, 'pid' | 'pgid' | 'start_time' | 'boot_id' | 'instance'>

/** Every living process of one start of a service. The group counts only while its leader is the one we started. */
export const processesOf = (started: Started): number[] =>
  started.boot_id === bootId()
    ? members({
        marker: marker(started.instance),
        ...(isAlive(started) ? { pgid: started.pgid } : {}),
      })
    : []

export const lives = (started: Started): boolean => isAlive(started)

/** @throws {Problem} `service_unhealthy` when a process does not end, even by SIGKILL */
export async function stopService(started: Started, name: string): Promise<void> {
  if (started.boot_id !== bootId()) return
  const left = await endTree({
    marker: marker(started.instance),
    ...(isAlive(started) ? { pgid: started.pgid } : {}),
  })
  if (left.length > 0)
    throw new Problem(
      'service_unhealthy',
      `Service ${name} does not end: process ${left.join(', ')} is still there.`,
    )
}

/** Sockets that one start of a service has open. */
export function socketsOf(
  started: Started,
  sockets: readonly OpenSocket[] = openSockets(),
): OpenSocket[] {
  const pids = new Set(processesOf(started))
  return sockets.filter((socket) => socket.pids.some((pid) => pids.has(pid)))
}

/**
 * Waits until a started service is healthy on its port. The listener must belong to it, and none of its sockets may be
 * reachable from outside.
 * @throws {Problem} `service_unhealthy` with the end of its log as evidence, or `public_port`
 */
export async function requireHealthy(
  spec: ServiceSpec,
  started: Instance,
  signal?: AbortSignal,
): Promise<void> {
  const why = await waitUntilOk(
    serviceUrl(started.port, spec.health.path),
    { commitField: spec.health.commit_field, commit: spec.sha },
    {
      seconds: spec.health.timeout_seconds,
      alive: () => lives(started),
      ...(signal ? { signal } : {}),
    },
  )
  const own = socketsOf(started)
  const outside = own.filter(({ address }) => !isLoopback(address))
  if (outside.length > 0) {
    throw new Problem(
      'public_port',
      `Service ${spec.name} listens on ${outside.map(socketName).join(', ')}, which can be reached from outside ` +
        'this machine; only loopback is allowed.',
      { evidence: [spec.argv.join(' ')] },
    )
  }
  const url = serviceUrl(started.port, spec.health.path)
  const evidence = logTail(started.log, { from: started.logStart })
  if (why !== null)
    throw new Problem(
      'service_unhealthy',
      `Service ${spec.name} is not healthy at ${url}: ${why}${saidIn(evidence)}.`,
      { evidence },
    )
  if (!own.some(({ protocol, port }) => protocol === 'tcp' && port === started.port)) {
    throw new Problem(
      'service_unhealthy',
      `${url} answers, but not from service ${spec.name}: no process of it listens there.`,
      { evidence },
    )
  }
}

interface LogPart {
  /** Most lines. */
  readonly lines?: number
  /** Bytes at the start that do not count. */
  readonly from?: number
}

/**
 * The last lines of a service's log, for evidence, with secrets redacted. A first line that is cut is left out, because
 * half a secret cannot be recognised.
 */
export function logTail(path: string, { lines = 20, from = 0 }: LogPart = {}): string[] {
  const buffer = Buffer.alloc(64 * 1024)
  let file: number
  try {
    file = openSync(path, 'r')
  } catch {
    return [] // no log, no evidence; the failure itself is reported by the caller
  }
  try {
    const { size } = statSync(path)
    const start = Math.max(from, size - buffer.length)
    const count = readSync(file, buffer, 0, buffer.length, start)
    const text = redact
      .text(buffer.toString('utf8', 0, count))
      .trimEnd()
      .split('\n')
    const whole = (start > from ? text.slice(1) : text).slice(-lines)
    return whole.join('') === '' ? [] : whole
  } finally {
    closeSync(file)
  }
}

export const recordOf = (
  spec: ServiceSpec,
  { pid, pgid, start_time, boot_id, instance }: Instance,
): ServiceRecord => ({
  schema_version: 1,
  ...spec,
  pid,
  pgid,
  start_time,
  boot_id,
  instance,
  started_at: new Date().toISOString(),
})

/** The part of a record from which the service can be started again. */
export function specOf({
  name,
  kind,
  argv,
  release,
  sha,
  digest,
  port,
  env,
  health,
}: ServiceRecord): ServiceSpec {
  return { name, kind, argv, release, sha, digest, port, env, health }
}
