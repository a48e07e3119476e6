// What is known of a Codex program before it works, and how each run of it is started.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { Problem } from '#shared/errors'
import { baseEnv, type CommandResult } from '#ops/base/process/command'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import type { CodexProgram } from './codex-program.ts'
import { noReview } from './no-review.ts'

/**
 * Features of the CLI that neither a reviewer nor an implementer uses: they fetch plugins from the network, start the
 * operator's login shell, or run hooks.
 */
const unused = new Set(['apps', 'hooks', 'plugins', 'shell_snapshot'])

/** A program that has said what it is. */
export interface KnownCodex {
  readonly argv: CodexProgram['argv']
  /** First line of `--version`. */
  readonly version: string
  /** SHA-256 of the file that does the work. */
  readonly sha256: string
  /** Features that are switched off. */
  readonly disabled: readonly string[]
}

/**
 * @param folder an empty one, in which it starts; it reads no configuration of the operator
 * @throws {Problem} `review_unavailable` when it does not start
 */
export async function knowCodex(
  { argv, file }: CodexProgram,
  context: Pick<StepContext, 'run'>,
  folder: string,
): Promise<KnownCodex> {
  const sha256 = await digestOf(file)
  const say = (args: readonly string[]): Promise<CommandResult> =>
    startCodex(
      context.run([...argv, ...args], {
        cwd: folder,
        env: baseEnv({ CODEX_HOME: folder }),
        timeLimitSeconds: 60,
        keepStdout: true,
        quiet: true,
      }),
    )
  const { exitCode, stdout, stderrTail } = await say(['--version'])
  const version = stdout.trim().split('\n')[0] ?? ''
  if (exitCode !== 0 || version === '')
    throw noReview('the Codex CLI does not start', { evidence: [stderrTail] })
  // An older CLI has no such command, and none of the features either.
  const listed = await say(['features', 'list'])
  const disabled = listed.exitCode === 0 ? unusedIn(listed.stdout) : []
  return { argv, version, sha256, disabled }
}

/** One feature a line: its name, its maturity, and whether it is on. The CLI refuses a name that it does not list. */
const unusedIn = (list: string): string[] =>
  list.split('\n').flatMap((line) => {
    const [, name = ''] = /^(\S+)\s.*\strue\s*$/.exec(line) ?? []
    return unused.has(name) ? [name] : []
  })

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file, { highWaterMark: 1024 * 1024 }), hash)
  return hash.digest('hex')
}

export interface CodexSandbox {
  readonly sandbox: 'read-only' | 'workspace-write'
  readonly model: string
  /** Where the CLI works. */
  readonly folder: string
}

/** Every run: nothing of the operator's or the repository's configuration reaches the CLI. */
export const execArgv = (
  { argv, disabled }: KnownCodex,
  { sandbox, model, folder }: CodexSandbox,
): string[] => [
  ...argv,
  'exec',
  '--json',
  '--ephemeral',
  '--strict-config',
  '--ignore-user-config',
  '--ignore-rules',
  '--skip-git-repo-check',
  ...disabled.flatMap((name) => ['--disable', name]),
  '-s',
  sandbox,
  '-m',
  model,
  '-C',
  folder,
  '-c',
  'approval_policy="never"',
  '-c',
  'web_search="disabled"',
  '-c',
  'shell_environment_policy.inherit="core"',
]

/** @throws {Problem} `review_unavailable` when the program cannot be started */
export async function startCodex(run: Promise<CommandResult>): Promise<CommandResult> {
  try {
    return await run
  } catch (error) {
    if (error instanceof Problem && error.errorClass === 'internal_error')
      throw noReview(`the Codex CLI failed: ${error.message}`, { cause: error })
    throw error
  }
}
