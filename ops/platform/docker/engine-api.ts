import { z } from 'zod'
import { Problem, toProblem } from '#shared/errors'
import { messageOf } from '#shared/system-error'
import { parseJson } from '#ops/base/files/json-file'
import { httpRequest, type HttpAnswer } from '#ops/base/http/request'
import type { RunAs } from '#ops/base/process/run-as'

/** Where requests to Docker go: the socket of its daemon. The caller's contexts and DOCKER_* variables are ignored. */
export interface Docker {
  readonly socket: string
  /** Account that compose files are read as; undefined: as who we are. */
  readonly reader?: RunAs | undefined
}

/** Limit for one answer of the daemon, in milliseconds and in bytes. */
const answerMs = 20_000
const maxAnswerBytes = 64 * 1024 * 1024

async function get({ socket }: Docker, path: string, signal?: AbortSignal): Promise<HttpAnswer> {
  try {
    return await httpRequest(`http://docker${path}`, {
      socketPath: socket,
      signal,
      timeoutMs: answerMs,
      maxBytes: maxAnswerBytes,
    })
  } catch (error) {
    if (signal?.aborted) throw new Problem('cancelled', 'The run was cancelled.', { cause: error })
    throw new Problem(
      'docker_unreachable',
      `Docker does not answer at ${socket}: ${messageOf(error)}.`,
      { cause: error },
    )
  }
}

const errorReply = z.looseObject({ message: z.string() })
const errorMessage = (text: string): string =>
  parseJson(text, errorReply, { errorClass: 'docker_compose_failed', origin: 'its answer' }).message

/**
 * One GET to the daemon.
 * @returns null when there is no such thing
 * @throws {Problem} `docker_unreachable` when the daemon does not answer; `docker_compose_failed` when its answer is
 *   off; `cancelled`
 */
export async function requestDocker<T extends z.ZodType>(
  at: Docker,
  { path, schema }: { readonly path: string; readonly schema: T },
  signal?: AbortSignal,
): Promise<z.output<T> | null> {
  const { status, text } = await get(at, path, signal)
  if (status === 404) return null
  if (status !== 200)
    throw new Problem(
      'docker_compose_failed',
      `Docker answered ${status} to ${path}: ${errorMessage(text)}`,
    )
  return parseJson(text, schema, {
    errorClass: 'docker_compose_failed',
    origin: `Docker's answer to ${path}`,
  })
}

/** @returns version of the daemon @throws {Problem} `docker_unreachable` when it does not answer */
export async function requireDaemon(at: Docker, signal?: AbortSignal): Promise<string> {
  const version = await requestDocker(
    at,
    { path: '/version', schema: z.looseObject({ Version: z.string() }) },
    signal,
  )
  if (version === null)
    throw new Problem('docker_unreachable', `${at.socket} is not Docker's socket.`)
  return version.Version
}

/** @returns the folder of the daemon's data, with every image and volume @throws {Problem} as `requestDocker` */
export async function dataFolder(at: Docker, signal?: AbortSignal): Promise<string> {
  const schema = z.looseObject({ DockerRootDir: z.string().startsWith('/') })
  const info = await requestDocker(at, { path: '/info', schema }, signal)
  if (info === null) throw new Problem('docker_unreachable', `${at.socket} is not Docker's socket.`)
  return info.DockerRootDir
}

/** Why no Docker daemon answers at this socket; null when one does. */
export async function whyNoDaemon(socket: string): Promise<string | null> {
  try {
    await requireDaemon({ socket })
    return null
  } catch (error) {
    return toProblem(error).message
  }
}

const inspectPath = {
  container: (name: string) => `/containers/${name}/json`,
  image: (name: string) => `/images/${name}/json`,
  network: (name: string) => `/networks/${name}`,
  volume: (name: string) => `/volumes/${name}`,
} as const

/**
 * All that the daemon knows about several things.
 * @returns those that exist; one that vanished since it was listed is left out
 * @throws {Problem} `docker_compose_failed`
 */
export async function inspect<T extends z.ZodType>(
  at: Docker,
  {
    kind,
    names,
    schema,
  }: {
    readonly kind: keyof typeof inspectPath
    readonly names: readonly string[]
    readonly schema: T
  },
  signal?: AbortSignal,
): Promise<z.output<T>[]> {
  const found = await Promise.all(
    names.map((name) =>
      requestDocker(at, { path: inspectPath[kind](encodeURIComponent(name)), schema }, signal),
    ),
  )
  return found.filter((each) => each !== null)
}
