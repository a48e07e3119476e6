// Where the Codex CLI is, and which version answers.
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { Problem } from '#shared/errors'
import type { Environment } from '#ops/base/env'
import { baseEnv, type CommandResult } from '#ops/base/process/command'
import { installRoot, nodeProgram } from '#ops/base/process/program'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { noReview } from './no-review.ts'

/**
 * The Codex CLI: the operator's choice, else the one installed with HQ, else the one in PATH.
 * @throws {Problem} `review_unavailable` when there is none
 */
export function codexProgram(chosen: string | null, env: Environment): [string, ...string[]] {
  const found = candidates(chosen, env).find(isProgram)
  if (found === undefined)
    throw noReview(
      chosen === null
        ? 'the Codex CLI is not installed'
        : `the Codex program of the settings, ${chosen}, does not exist`,
    )
  // A script is started by the package's own Node, so that no Node has to be in PATH.
  return /\.[cm]?js$/.test(realpathSync(found)) ? [nodeProgram(), realpathSync(found)] : [found]
}

/** First line of `codex --version`. @throws {Problem} `review_unavailable` */
export async function codexVersion(
  program: readonly string[],
  context: StepContext,
  folder: string,
): Promise<string> {
  const result = await startCodex(
    context.run([...program, '--version'], {
      cwd: folder,
      env: baseEnv(),
      timeLimitSeconds: 60,
      keepStdout: true,
      quiet: true,
    }),
  )
  const version = result.stdout.trim().split('\n')[0] ?? ''
  if (result.exitCode !== 0 || version === '')
    throw noReview('the Codex CLI does not start', { evidence: [result.stderrTail] })
  return version
}

export interface CodexSandbox {
  readonly sandbox: 'read-only' | 'workspace-write'
  readonly model: string
  /** Where the CLI works. */
  readonly folder: string
}

/** Arguments of every run: nothing of the operator's or the repository's configuration reaches the CLI. */
export const execArguments = ({ sandbox, model, folder }: CodexSandbox): string[] => [
  'exec',
  '--json',
  '--ephemeral',
  '--strict-config',
  '--ignore-user-config',
  '--ignore-rules',
  '--skip-git-repo-check',
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

function candidates(chosen: string | null, env: Environment): string[] {
  const inPath = (name: string): string[] =>
    (env['PATH'] ?? '')
      .split(delimiter)
      .filter((folder) => isAbsolute(folder))
      .map((folder) => join(folder, name))
  if (chosen === null)
    return [join(installRoot(), 'node_modules', '.bin', 'codex'), ...inPath('codex')]
  return isAbsolute(chosen) ? [chosen] : inPath(chosen)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false // absent, or not executable by this user
  }
}
