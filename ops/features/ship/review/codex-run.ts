import { hasCode } from '#shared/system-error'
import type { Environment } from '#ops/base/env'
import {
  accessSync,
  constants,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { Problem } from '#shared/errors'
import { reviewAnswer } from '#shared/verdict'
import { baseEnv, type CommandResult } from '#ops/base/process/command'
import { writeJson, writeWhole } from '#ops/base/files/json-file'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { installRoot, nodeProgram } from '#ops/base/process/program'
import { knowSecrets, redact } from '#ops/base/redact/redaction'
import { credentialEnv, providerArguments, type ReviewProvider } from './codex-provider.ts'
import { checkoutName } from './review-prompt.ts'

/** Largest answer that is read, and most bytes of the CLI's events that are kept. */
const maxAnswerBytes = 4 * 1024 * 1024
const maxEventBytes = 64 * 1024 * 1024

const unavailable = (why: string, cause?: unknown, evidence: readonly string[] = []): Problem =>
  new Problem(
    'review_unavailable',
    `No review was made, because ${why}. Nothing was pushed; main is as it was.`,
    { cause, evidence },
  )

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false // not there or not for us: either way no program
  }
}

/**
 * The Codex CLI: the operator's choice, else the one installed with HQ, else the one in PATH.
 * @throws {Problem} `review_unavailable` when there is none
 */
export function codexProgram(chosen: string | null, env: Environment): [string, ...string[]] {
  const inPath = (name: string): string[] =>
    (env['PATH'] ?? '')
      .split(delimiter)
      .filter((folder) => isAbsolute(folder))
      .map((folder) => join(folder, name))
  const candidates =
    chosen !== null
      ? isAbsolute(chosen)
        ? [chosen]
        : inPath(chosen)
      : [join(installRoot(), 'node_modules', '.bin', 'codex'), ...inPath('codex')]
  const found = candidates.find(isProgram)
  if (found === undefined)
    throw unavailable(
      chosen === null
        ? 'the Codex CLI is not installed'
        : `the Codex program of the settings, ${chosen}, does not exist`,
    )
  // A script is started by the package's own Node, so that no Node has to be in PATH.
  return /\.[cm]?js$/.test(realpathSync(found)) ? [nodeProgram(), realpathSync(found)] : [found]
}

/** The one schema of the answer, as JSON Schema in the strict form that the Responses API takes. */
export function answerSchema(): object {
  const { $schema: _, ...schema } = z.toJSONSchema(reviewAnswer)
  return schema
}

const codexEvent = z.looseObject({ type: z.string() })
const usageEvent = z.looseObject({
  type: z.literal('turn.completed'),
  usage: z.looseObject({ input_tokens: z.number().int(), output_tokens: z.number().int() }),
})
const failedEvent = z.union([
  z
    .looseObject({ type: z.literal('turn.failed'), error: z.looseObject({ message: z.string() }) })
    .transform(({ error }) => error.message),
  z
    .looseObject({ type: z.literal('error'), message: z.string() })
    .transform(({ message }) => message),
])
const itemEvent = z.looseObject({
  type: z.literal('item.completed'),
  item: z.looseObject({ type: z.string(), command: z.string().optional() }),
})

function parseEvent(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null // a warning the CLI printed between its events; the file keeps it
  }
}

export interface CodexQuestion {
  readonly program: readonly string[]
  readonly provider: ReviewProvider
  readonly model: string
  readonly prompt: string
  /** Clean worktree of the commit under review. */
  readonly folder: string
  /** Empty folder for what passes between HQ and the CLI. */
  readonly scratch: string
  /** Where the CLI's events are written, however it ends. */
  readonly events: string
  readonly timeLimitSeconds: number
  readonly env: Environment
}

export interface CodexAnswer {
  /** Text of the CLI's last message, as it was given; empty when it gave none. */
  readonly text: string
  readonly usage: { readonly input_tokens: number; readonly output_tokens: number } | null
}

/** First line of `codex --version`. @throws {Problem} `review_unavailable` */
export async function codexVersion(
  program: readonly string[],
  context: StepContext,
  folder: string,
): Promise<string> {
  const result = await started(
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
    throw unavailable('the Codex CLI does not start', undefined, [result.stderrTail])
  return version
}

async function started(run: Promise<CommandResult>): Promise<CommandResult> {
  try {
    return await run
  } catch (error) {
    if (error instanceof Problem && error.errorClass === 'internal_error')
      throw unavailable(`the Codex CLI failed: ${error.message}`, error)
    throw error
  }
}

/**
 * Asks the real Codex CLI once: read-only, prompt on standard input, environment from nothing, own time limit, the whole
 * tree ended. Its events are written however it ends. A key never reaches a log or a file.
 *
 * @throws {Problem} `review_unavailable` (not zero, a failed turn, no credentials), `review_timeout`, `review_invalid` (no ended turn)
 */
export async function askCodex(
  question: CodexQuestion,
  context: StepContext,
): Promise<CodexAnswer> {
  const { program, provider, model, folder, scratch } = question
  const [schemaFile, answerFile, home] = [
    join(scratch, 'answer-schema.json'),
    join(scratch, 'answer.txt'),
    join(scratch, 'codex-home'),
  ]
  writeJson(schemaFile, answerSchema())
  mkdirSync(home, { recursive: true })
  // The CLI takes instructions from the folder it works in: a diff that names a skill of the repository (`$name`) has
  // it read to the reviewer. So it works in a folder of ours, where the change is only a link to read from.
  const desk = join(scratch, 'desk')
  mkdirSync(desk)
  symlinkSync(folder, join(desk, checkoutName))
  const credential = credentialEnv(provider, question.env, home)
  if (provider.env_key !== null) knowSecrets([credential[provider.env_key] ?? ''])
  const argv = [
    ...program,
    'exec',
    '--json',
    '--ephemeral',
    '--strict-config',
    '--ignore-user-config',
    '--ignore-rules',
    '--skip-git-repo-check',
    '-s',
    'read-only',
    '-m',
    model,
    '-C',
    desk,
    '-c',
    'approval_policy="never"',
    '-c',
    'web_search="disabled"',
    '-c',
    'project_doc_max_bytes=0',
    '-c',
    'shell_environment_policy.inherit="core"',
    ...providerArguments(provider),
    '--output-schema',
    schemaFile,
    '-o',
    answerFile,
    '-',
  ]
  const result = await started(
    context.run(argv, {
      cwd: desk,
      env: baseEnv(credential),
      timeLimitSeconds: question.timeLimitSeconds,
      input: question.prompt,
      keepStdout: true,
      keepBytes: maxEventBytes,
      quiet: true,
      onLine: (line, stream) => {
        if (stream === 'stderr') return context.log(line, 'stderr')
        const item = itemEvent.safeParse(parseEvent(line)).data?.item
        if (item)
          context.log(
            `codex: ${item.type}${item.command === undefined ? '' : ` ${item.command}`}`,
            'stdout',
          )
      },
    }),
  )
  writeWhole(question.events, redact.text(result.stdout))

  const events = result.stdout
    .split('\n')
    .map(parseEvent)
    .filter((event) => codexEvent.safeParse(event).success)
  const errors = events.flatMap((event) => failedEvent.safeParse(event).data ?? [])
  if (result.timedOut)
    throw new Problem(
      'review_timeout',
      `No review was made: Codex did not answer within ${question.timeLimitSeconds} s and was ended. Nothing was pushed; main is as it was.`,
      { evidence: errors.slice(-5) },
    )
  const failed = events.some((event) => codexEvent.parse(event).type === 'turn.failed')
  if (result.exitCode !== 0 || failed) {
    throw unavailable(
      `the Codex CLI ended with ${result.exitCode ?? result.signal}: ${errors.at(-1) ?? result.stderrTail.split('\n').at(-1) ?? 'no reason given'}`,
      undefined,
      errors.slice(-5),
    )
  }
  const usage = events.flatMap((event) => usageEvent.safeParse(event).data?.usage ?? []).at(-1)
  if (!usage)
    throw new Problem(
      'review_invalid',
      'No review was made: the Codex CLI ended without ending its turn. Nothing was pushed; main is as it was.',
    )
  return {
    text: readAnswer(answerFile),
    usage: { input_tokens: usage.input_tokens, output_tokens: usage.output_tokens },
  }
}

function readAnswer(path: string): string {
  try {
    if (statSync(path).size > maxAnswerBytes)
      throw new Problem(
        'review_invalid',
        `The answer of the reviewer is larger than ${maxAnswerBytes} bytes. Nothing was pushed.`,
      )
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return ''
    throw error
  }
}
