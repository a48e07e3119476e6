import { Problem, type ErrorClass } from '#shared/errors'
import { inheritedVariables } from '#ops/base/env'
import { searchPathOutside } from './repository-folders.ts'
import {
  baseEnv,
  runCommand,
  type CommandOptions,
  type CommandResult,
} from '#ops/base/process/command'
import type { RunAs } from '#ops/base/process/run-as'

export interface GitOptions {
  readonly signal?: AbortSignal
  /** Default 60. */
  readonly timeLimitSeconds?: number
  /** Text for its standard input; without it the input is closed. */
  readonly input?: string
  /** Most bytes of standard output that are kept; more is an error. Default 8 MiB. */
  readonly keepBytes?: number
  /** Give its standard output back as it is, one character for each byte (latin1). */
  readonly rawStdout?: boolean
  readonly onLine?: CommandOptions['onLine']
  /** Takes its standard output in pieces, of any size; none of it is kept. */
  readonly onBytes?: CommandOptions['onBytes']
  /** Let the repository's hooks run. Default false; only a push turns it on. */
  readonly hooks?: boolean
  /** Read the user's and the system's git configuration. Default true; false where only the repository may speak. */
  readonly userConfig?: boolean
  /** Pass on what reaching a remote needs: ssh agent, proxies, certificate stores. Default false. */
  readonly network?: boolean
  /** `-c name=value` pairs. */
  readonly config?: Readonly<Record<string, string>>
  /** Account it runs as. Default: who we are. */
  readonly as?: RunAs
  /** More variables of its environment. */
  readonly env?: Readonly<Record<string, string>>
}

const networkVariables = [
  'SSH_AUTH_SOCK',
  'GIT_SSH_COMMAND',
  'GIT_SSL_CAINFO',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'all_proxy',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'ALL_PROXY',
] as const

/**
 * The environment of every git call: from nothing, no program of the repository, no replace objects, no prompt, no
 * optional locks. No GIT_DIR,
 * GIT_CONFIG_* or GIT_INDEX_FILE of the caller reaches it.
 */
function gitEnv(
  repo: string,
  { userConfig = true, network = false, env = {} }: GitOptions,
): Record<string, string> {
  const own: Record<string, string> = {
    PATH: searchPathOutside(repo),
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_TERMINAL_PROMPT: '0',
    GIT_PAGER: 'cat',
  }
  if (!userConfig)
    Object.assign(own, {
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      GIT_ATTR_NOSYSTEM: '1',
    })
  return baseEnv({
    ...own,
    ...(network ? inheritedVariables(networkVariables) : {}),
    ...(userConfig ? inheritedVariables(['XDG_CONFIG_HOME']) : {}),
    ...env,
  })
}

/**
 * Runs one git command in `repo`. Hooks are off unless requested, fsmonitor and maintenance always; standard output is
 * kept.
 * Callers put `--end-of-options` before anything that is not written in the source.
 *
 * @param repo working tree or bare repository; the command runs there
 * @returns how it ended; a non-zero exit is not an error here
 * @throws {Problem} `cancelled` when `signal` fires; `internal_error` when git cannot be started or says more than
 *   `keepBytes`
 */
export function git(
  repo: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<CommandResult> {
  const config = {
    ...options.config,
    'core.fsmonitor': 'false',
    // What git tidies up in the background is not HQ's to remove: a worktree whose disk is unplugged, for example.
    'gc.auto': '0',
    'maintenance.auto': 'false',
    ...(options.hooks ? {} : { 'core.hooksPath': '/dev/null' }),
  }
  return runCommand(
    [
      'git',
      ...Object.entries(config).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ...args,
    ],
    {
      cwd: repo,
      env: gitEnv(repo, options),
      timeLimitSeconds: options.timeLimitSeconds ?? 60,
      keepStdout: options.onBytes === undefined,
      ...(options.onBytes === undefined ? {} : { onBytes: options.onBytes }),
      ...(options.as === undefined ? {} : { as: options.as }),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.input === undefined ? {} : { input: options.input }),
      ...(options.keepBytes === undefined ? {} : { keepBytes: options.keepBytes }),
      ...(options.rawStdout === undefined ? {} : { rawStdout: options.rawStdout }),
      ...(options.onLine === undefined ? {} : { onLine: options.onLine }),
    },
  )
}

/** The same for output that is bytes. @returns `bytes`: null when the command failed */
export async function gitBytes(
  repo: string,
  args: readonly string[],
  options: GitOptions = {},
): Promise<{ readonly bytes: Buffer | null; readonly stderrTail: string }> {
  const { exitCode, stdout, stderrTail } = await git(repo, args, { ...options, rawStdout: true })
  return { bytes: exitCode === 0 ? Buffer.from(stdout, 'latin1') : null, stderrTail }
}

/** Why a git command did not succeed, as lines for a person. */
export const gitFailure = (result: CommandResult): string[] =>
  result.timedOut
    ? ['git did not end within its time limit']
    : result.stderrTail.split('\n').filter((line) => line.trim() !== '')

/** The line that names the cause, for a message; `no reason given` when git said nothing. */
export const gitReason = (result: CommandResult): string =>
  causeOf(gitFailure(result)) ?? 'no reason given'

/**
 * The line that names the cause among what git printed: what the remote said first; else the line before the first
 * `fatal:`, with which another program, such as ssh, explained it; else the first line. Warnings and hints are none.
 */
export function causeOf(lines: readonly string[]): string | null {
  const said = lines.filter((line) => line.trim() !== '' && !/^(?:warning|hint):/i.test(line))
  const remote = said.find((line) => /^remote: *\S/.test(line))
  if (remote !== undefined) return remote.replace(/^remote: */, '').trim()
  const fatal = said.findIndex((line) => line.startsWith('fatal:'))
  return (said[Math.max(0, fatal - 1)] ?? null)?.trim() ?? null
}

/**
 * The same for a command that must succeed.
 * @returns its standard output without the last line end
 * @throws {Problem} of class `errorClass` with git's own lines as evidence
 */
export async function gitText(
  repo: string,
  args: readonly string[],
  options: GitOptions & { errorClass?: ErrorClass } = {},
): Promise<string> {
  const result = await git(repo, args, options)
  if (result.exitCode === 0) return result.stdout.replace(/\n$/, '')
  const evidence = gitFailure(result)
  const why = causeOf(evidence) ?? `exit ${result.exitCode ?? result.signal ?? 'unknown'}`
  throw new Problem(
    options.errorClass ?? 'internal_error',
    `git ${args[0] ?? ''} failed in ${repo}: ${why}`,
    { evidence },
  )
}
