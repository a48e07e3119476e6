import type { Environment } from '#ops/base/env'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { OperatorSettings } from '#shared/config'
import { Problem } from '#shared/errors'
import { baseEnv, type CommandResult } from '#ops/base/process/command'
import { writeWhole } from '#ops/base/files/json-file'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import {
  chosenProvider,
  credentialEnv,
  providerArguments,
  refuseUnreachable,
} from '#ops/features/ship/review/codex-provider'
import { knowSecrets, redact, shortestKnown } from '#ops/base/redact/redaction'
import { createRedactor, marker, type Redactor } from '#ops/base/redact/redactor'
import { codexProgram } from '#ops/features/ship/review/codex-run'

/** Most bytes of its output that are kept. */
const maxOutputBytes = 64 * 1024 * 1024
const untouched = 'Nothing was pushed; the branch is as it was.'

/** How the implementer is started. */
export interface Implementer {
  /** For the result: what it is. */
  readonly name: string
  readonly argv: readonly string[]
  readonly env: Record<string, string>
  /** File of the proof that keeps its output as it came. */
  readonly output: string
  /** What its words go through, besides what is done with those of every command. */
  readonly said: Redactor
  readonly timeLimitSeconds: number
}

interface Place {
  readonly folder: string
  readonly scratch: string
  readonly env: Environment
}

const failed = (why: string, cause?: unknown, evidence: readonly string[] = []): Problem =>
  new Problem('implementer_failed', `The repair was not made: ${why}. ${untouched}`, {
    cause,
    evidence,
  })

/**
 * The implementer of the operator's settings: a program of their own, else the Codex CLI. Codex may write in its folder
 * and nowhere else, and has no network; a program of one's own runs with the operator's rights.
 *
 * @throws {Problem} `implementer_failed` when there is no such program or no credentials for it
 */
export async function implementerOf(
  settings: OperatorSettings,
  { folder, scratch, env }: Place,
  signal: AbortSignal,
): Promise<Implementer> {
  const { until_green: own, review } = settings
  const common = { timeLimitSeconds: own.timeout_seconds }
  const temporary = join(scratch, 'tmp')
  if (own.argv !== null) {
    const passed = Object.fromEntries(
      own.env.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
    )
    // Only what it says is searched for these: not every variable is a secret, and a common word must not be one everywhere.
    const said = createRedactor({
      secrets: Object.values(passed).filter(
        (value) => value.trim().length >= shortestKnown && !marker.includes(value.trim()),
      ),
    })
    return {
      ...common,
      name: own.argv[0] ?? '',
      argv: own.argv,
      env: baseEnv({ TMPDIR: temporary, ...passed }),
      output: 'implementer_output.txt',
      said,
    }
  }
  try {
    const provider = chosenProvider({
      ...settings,
      review: { ...review, provider: own.provider ?? review.provider },
    })
    const home = join(scratch, 'codex-home')
    mkdirSync(home, { recursive: true })
    const credential = credentialEnv(provider, env, home)
    await refuseUnreachable(provider, signal)
    const argv = [
      ...codexProgram(review.codex, env),
      'exec',
      '--json',
      '--ephemeral',
      '--strict-config',
      '--ignore-user-config',
      '--ignore-rules',
      '--skip-git-repo-check',
      '-s',
      'workspace-write',
      '-m',
      own.model ?? review.model,
      '-C',
      folder,
      '-c',
      'approval_policy="never"',
      '-c',
      'web_search="disabled"',
      '-c',
      'shell_environment_policy.inherit="core"',
      '-c',
      'sandbox_workspace_write.network_access=false',
      '-c',
      'sandbox_workspace_write.exclude_slash_tmp=true',
      '-c',
      'sandbox_workspace_write.exclude_tmpdir_env_var=false',
      ...providerArguments(provider),
      '-',
    ]
    if (provider.env_key !== null) knowSecrets([credential[provider.env_key] ?? ''])
    return {
      ...common,
      name: `codex, ${own.model ?? review.model} at ${provider.label}${provider.scripted ? ', scripted (demo)' : ''}`,
      argv,
      env: baseEnv({ TMPDIR: temporary, ...credential }),
      output: 'implementer.jsonl',
      said: redact,
    }
  } catch (error) {
    // Its sentences are those of a review; here they say why there is no repair.
    if (error instanceof Problem && error.errorClass.startsWith('review_'))
      throw failed(
        error.message
          .replace(/^No review was made, because /, '')
          .replace(/\. Nothing was pushed.*$/, ''),
        error,
      )
    throw error
  }
}

const itemEvent = z.looseObject({
  type: z.literal('item.completed'),
  item: z.looseObject({
    type: z.string(),
    command: z.string().optional(),
    text: z.string().optional(),
  }),
})

function codexLine(line: string): string | null {
  try {
    const item = itemEvent.safeParse(JSON.parse(line)).data?.item
    return item === undefined
      ? null
      : `implementer: ${item.type} ${item.command ?? item.text ?? ''}`.trim().slice(0, 500)
  } catch {
    return null // a warning between its events; the file keeps it
  }
}

/**
 * Runs it once: prompt on standard input, which then ends; environment from nothing; own time limit; the whole tree ended
 * however it ends. What it said is kept in the proof.
 *
 * @throws {Problem} `implementer_failed`, `implementer_timeout`
 */
export async function runImplementer(
  implementer: Implementer,
  prompt: string,
  folder: string,
  context: StepContext,
): Promise<void> {
  const { argv, env, output, timeLimitSeconds } = implementer
  const clean = { stdout: implementer.said.lines(), stderr: implementer.said.lines() }
  const said: string[] = []
  let size = 0
  const isJson = output.endsWith('.jsonl')
  let result: CommandResult
  try {
    result = await context.run(argv, {
      cwd: folder,
      env,
      timeLimitSeconds,
      input: prompt,
      quiet: true,
      onLine: (text, stream) => {
        const line = clean[stream](text)
        if (stream === 'stderr') return context.log(line, 'stderr')
        size += line.length + 1
        if (size <= maxOutputBytes) said.push(line)
        const shown = isJson ? codexLine(line) : line
        if (shown !== null) context.log(shown, 'stdout')
      },
    })
  } catch (error) {
    if (error instanceof Problem && error.errorClass === 'internal_error')
      throw failed(error.message, error)
    throw error
  } finally {
    // Also of one that was ended: what it said until then is evidence.
    writeWhole(join(context.dir, output), said.length === 0 ? '' : `${said.join('\n')}\n`)
  }
  if (result.timedOut)
    throw new Problem(
      'implementer_timeout',
      `The repair was not made: the implementer did not end within ${timeLimitSeconds} s and was ended. ${untouched}`,
    )
  if (result.exitCode !== 0)
    throw failed(
      `the implementer ended with ${result.exitCode ?? result.signal}: ${implementer.said.text(result.stderrTail.split('\n').at(-1) ?? '')}`,
      undefined,
      said.slice(-5),
    )
}
