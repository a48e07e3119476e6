// The implementer of the operator's settings: a program of the operator's choice, else the Codex CLI.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { OperatorSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import type { Environment } from '#ops/base/env'
import { baseEnv } from '#ops/base/process/command'
import { knowSecrets, redact, shortestKnown } from '#ops/base/redact/redaction'
import { createRedactor, marker, type Redactor } from '#ops/base/redact/redactor'
import { codexProgram } from '#ops/features/ship/review/codex-program'
import { execArgv, knowCodex, type KnownCodex } from '#ops/features/ship/review/codex-start'
import { refuseCodexOfChange } from '#ops/features/ship/review/codex-place'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import {
  chosenProvider,
  credentialEnv,
  providerArguments,
  refuseUnreachable,
} from '#ops/features/ship/review/codex-provider'

export const untouched = 'Nothing was pushed; the branch is as it was.'

/** How the implementer is started. */
export interface Implementer {
  /** For the result: what it is. */
  readonly name: string
  readonly argv: readonly string[]
  readonly env: Record<string, string>
  /** File of the proof that keeps its output. */
  readonly output: string
  /** Redacts its output, besides what is redacted of every command. */
  readonly redactor: Redactor
  readonly timeLimitSeconds: number
}

export interface ImplementerSetting {
  /** Where it works. */
  readonly folder: string
  readonly scratch: string
  /** The operator's environment. */
  readonly env: Environment
  /** What is repaired. */
  readonly commit: { readonly repo: string; readonly head: string }
}

/**
 * Codex may write in its folder and nowhere else, and has no network; a program of the operator's choice runs with the
 * operator's rights.
 *
 * @throws {Problem} `implementer_failed` when there is no such program or no credentials for it
 */
export async function implementerOf(
  settings: OperatorSettings,
  setting: ImplementerSetting,
  context: Pick<StepContext, 'run' | 'signal'>,
): Promise<Implementer> {
  const { argv } = settings.until_green
  if (argv !== null) return chosenProgram(settings, argv, setting)
  try {
    return await codexImplementer(settings, setting, context)
  } catch (error) {
    // The sentences are those of a review; here they say why there is no repair.
    if (error instanceof Problem && error.errorClass.startsWith('review_'))
      throw failed(
        error.message
          .replace(/^No review was made, because /, '')
          .replace(/\. (?:No review was requested and n|N)othing was pushed.*$/, ''),
        { cause: error },
      )
    throw error
  }
}

/** @returns {Problem} `implementer_failed` @param why a clause without a full stop */
export const failed = (
  why: string,
  more: { readonly cause?: unknown; readonly evidence?: readonly string[] } = {},
): Problem =>
  new Problem('implementer_failed', `The repair was not made: ${why}. ${untouched}`, more)

function chosenProgram(
  { until_green }: OperatorSettings,
  argv: readonly string[],
  { scratch, env }: ImplementerSetting,
): Implementer {
  const passed = Object.fromEntries(
    until_green.env.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  )
  // Only its output is searched for these: not every variable is a secret, and a common word is not one everywhere.
  const secrets = Object.values(passed).filter(
    (value) => value.trim().length >= shortestKnown && !marker.includes(value.trim()),
  )
  return {
    name: argv[0] ?? '',
    argv,
    env: baseEnv({ TMPDIR: join(scratch, 'tmp'), ...passed }),
    output: 'implementer_output.txt',
    redactor: createRedactor({ secrets }),
    timeLimitSeconds: until_green.timeout_seconds,
  }
}

/** @throws {Problem} `review_unavailable`, `review_provider_refused` */
async function codexImplementer(
  settings: OperatorSettings,
  { folder, scratch, env, commit }: ImplementerSetting,
  context: Pick<StepContext, 'run' | 'signal'>,
): Promise<Implementer> {
  const { until_green, review } = settings
  const provider = chosenProvider({
    ...settings,
    review: { ...review, provider: until_green.provider ?? review.provider },
  })
  const home = join(scratch, 'codex-home')
  mkdirSync(home, { recursive: true })
  const credential = credentialEnv(provider, env, home)
  await refuseUnreachable(provider, context.signal)
  const model = until_green.model ?? review.model
  const found = codexProgram(review.codex, commit.repo)
  await refuseCodexOfChange(found, { ...commit, git: { signal: context.signal } })
  const program = await knowCodex(found, context, home)
  if (provider.env_key !== null) knowSecrets([credential[provider.env_key] ?? ''])
  return {
    name: `codex, ${model} at ${provider.label}${provider.scripted ? ', scripted (demo)' : ''}`,
    argv: codexArgv(program, { model, folder }, providerArguments(provider)),
    env: baseEnv({ TMPDIR: join(scratch, 'tmp'), ...credential }),
    output: 'implementer.jsonl',
    redactor: redact,
    timeLimitSeconds: until_green.timeout_seconds,
  }
}

const codexArgv = (
  program: KnownCodex,
  { model, folder }: { readonly model: string; readonly folder: string },
  provider: readonly string[],
): string[] => [
  ...execArgv(program, { sandbox: 'workspace-write', model, folder }),
  '-c',
  'sandbox_workspace_write.network_access=false',
  '-c',
  'sandbox_workspace_write.exclude_slash_tmp=true',
  '-c',
  'sandbox_workspace_write.exclude_tmpdir_env_var=false',
  ...provider,
  '-',
]
