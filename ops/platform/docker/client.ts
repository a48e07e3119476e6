import { tmpdir } from 'node:os'
import { Problem } from '#shared/errors'
import { minimalEnv } from '#ops/base/env'
import { runCommand, type CommandOptions, type CommandResult } from '#ops/base/process/command'
import type { RunAs } from '#ops/base/process/run-as'
import type { Docker } from './engine-api.ts'

export interface DockerOptions {
  readonly timeLimitSeconds?: number
  readonly signal?: AbortSignal | undefined
  readonly cwd?: string
  readonly input?: string
  /** Environment on top of the base one; what a compose file may refer to. */
  readonly env?: Readonly<Record<string, string>>
  readonly onLine?: CommandOptions['onLine'] | undefined
  /** Account it runs as. Default: who we are. */
  readonly as?: RunAs | undefined
}

/**
 * Limit for one question, in seconds: to start the program and its plugin alone takes a while on a host that builds.
 */
const questionSeconds = 60

/** Enough to find programs and the credentials of a registry in HOME, and nothing that could point elsewhere. */
const clientEnv = (extra: Readonly<Record<string, string>>): Record<string, string> => ({
  ...minimalEnv(),
  DOCKER_CLI_HINTS: 'false',
  DOCKER_BUILDKIT: '1',
  BUILDX_NO_DEFAULT_ATTESTATIONS: '1',
  COMPOSE_MENU: 'false',
  COMPOSE_STATUS_STDOUT: '0',
  ...extra,
})

/**
 * The `docker` program with an argument list. A non-zero exit is not an error here.
 * @throws {Problem} `cancelled`, `docker_unreachable` when there is no such program
 */
export async function docker(
  { socket }: Docker,
  args: readonly string[],
  {
    timeLimitSeconds = questionSeconds,
    signal,
    cwd = tmpdir(),
    input,
    env = {},
    onLine,
    as,
  }: DockerOptions = {},
): Promise<CommandResult> {
  try {
    return await runCommand(['docker', '--host', `unix://${socket}`, ...args], {
      cwd,
      env: clientEnv(env),
      timeLimitSeconds,
      keepStdout: true,
      keepBytes: 64 * 1024 * 1024,
      ...(signal ? { signal } : {}),
      ...(input === undefined ? {} : { input }),
      ...(onLine ? { onLine } : {}),
      ...(as ? { as } : {}),
    })
  } catch (error) {
    if (error instanceof Problem && error.errorClass === 'internal_error')
      throw new Problem('docker_unreachable', `Docker cannot be reached: ${error.message}`, {
        cause: error,
      })
    throw error
  }
}

export function howEnded({ exitCode, signal, timedOut }: CommandResult): string {
  if (timedOut) return 'took longer than its time limit'
  return exitCode === null
    ? `was ended by ${signal ?? 'a signal'}`
    : `ended with exit code ${exitCode}`
}

/** The same, but a non-zero exit is. @throws {Problem} `docker_compose_failed`, what it said as evidence */
export async function dockerDo(
  at: Docker,
  args: readonly string[],
  options: DockerOptions & { readonly title?: string } = {},
): Promise<string> {
  const result = await docker(at, args, options)
  if (result.exitCode !== 0)
    throw new Problem(
      'docker_compose_failed',
      `${options.title ?? `docker ${args.slice(0, 2).join(' ')}`} ${howEnded(result)}.`,
      { evidence: result.stderrTail.split('\n').filter((line) => line !== '') },
    )
  return result.stdout
}
