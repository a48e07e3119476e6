// One run of the real Codex CLI: a prompt in, an answer out.
import { lstatSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { Problem } from '#shared/errors'
import { reviewAnswer } from '#shared/verdict'
import type { Environment } from '#ops/base/env'
import { baseEnv, type CommandResult } from '#ops/base/process/command'
import { writeJson, writeWhole } from '#ops/base/files/json-file'
import { readRegularFile } from '#ops/base/files/regular-file'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { knowSecrets, redact } from '#ops/base/redact/redaction'
import { completedItem, readCodexReport, type CodexReport } from './codex-events.ts'
import { execArgv, startCodex, type KnownCodex } from './codex-start.ts'
import { credentialEnv, providerArguments, type ReviewProvider } from './codex-provider.ts'
import { noReview, untouched } from './no-review.ts'
import { checkoutName } from './review-prompt.ts'

/** Largest answer that is read, and most bytes of the CLI's events that are kept. */
const maxAnswerBytes = 4 * 1024 * 1024
const maxEventBytes = 64 * 1024 * 1024

export interface CodexRequest {
  readonly program: KnownCodex
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

/**
 * Runs the real Codex CLI once: read-only, prompt on standard input, environment from nothing, its own time limit, the
 * whole process tree ended. Its events are written however it ends. A key never reaches a log or a file.
 *
 * @throws {Problem} `review_unavailable` (exit code, failed turn, no credentials), `review_timeout`, `review_invalid`
 *   (no completed turn)
 */
export async function runCodex(request: CodexRequest, context: StepContext): Promise<CodexAnswer> {
  const files = prepareScratch(request)
  const credential = credentialEnv(request.provider, request.env, files.home)
  const keyName = request.provider.env_key
  if (keyName !== null) knowSecrets([credential[keyName] ?? ''])
  const result = await startCodex(
    context.run(codexArgv(request, files), {
      cwd: files.desk,
      env: baseEnv(credential),
      timeLimitSeconds: request.timeLimitSeconds,
      input: request.prompt,
      keepStdout: true,
      keepBytes: maxEventBytes,
      quiet: true,
      onLine: (line, stream) => {
        if (stream === 'stderr') return context.log(line, 'stderr')
        const item = completedItem(line)
        if (item) context.log(`codex: ${item.type} ${item.command ?? ''}`.trimEnd(), 'stdout')
      },
    }),
  )
  writeWhole(request.events, redact.text(result.stdout))
  const usage = refuseFailure(result, readCodexReport(result.stdout), request.timeLimitSeconds)
  return { text: readAnswer(files.answer), usage }
}

interface ScratchFiles {
  readonly schema: string
  readonly answer: string
  /** Empty: with a key Codex uses nothing of the operator's own folder. */
  readonly home: string
  /** Where the CLI works. */
  readonly desk: string
}

/**
 * The CLI takes instructions from the folder it works in: a diff that names a skill of the repository (`$name`) makes
 * the CLI read that skill to the reviewer. So it works in a folder of HQ, where the change is only a link to read from.
 */
function prepareScratch({ folder, scratch }: CodexRequest): ScratchFiles {
  const files: ScratchFiles = {
    schema: join(scratch, 'answer-schema.json'),
    answer: join(scratch, 'answer.txt'),
    home: join(scratch, 'codex-home'),
    desk: join(scratch, 'desk'),
  }
  writeJson(files.schema, answerSchema())
  mkdirSync(files.home, { recursive: true })
  mkdirSync(files.desk)
  symlinkSync(folder, join(files.desk, checkoutName))
  return files
}

/** The one schema of the answer, as JSON Schema in the strict form that the Responses API takes. */
function answerSchema(): object {
  const { $schema: _, ...schema } = z.toJSONSchema(reviewAnswer)
  return schema
}

const codexArgv = (
  { program, provider, model }: CodexRequest,
  { schema, answer, desk }: ScratchFiles,
): string[] => [
  ...execArgv(program, { sandbox: 'read-only', model, folder: desk }),
  '-c',
  'project_doc_max_bytes=0',
  ...providerArguments(provider),
  '--output-schema',
  schema,
  '-o',
  answer,
  '-',
]

/** @returns the tokens used @throws {Problem} `review_timeout`, `review_unavailable`, `review_invalid` */
function refuseFailure(
  result: CommandResult,
  { errors, turnFailed, usage }: CodexReport,
  timeLimitSeconds: number,
): NonNullable<CodexReport['usage']> {
  const evidence = errors.slice(-5)
  if (result.timedOut)
    throw new Problem(
      'review_timeout',
      `No review was made: Codex took longer than ${timeLimitSeconds} s and was stopped. ${untouched}`,
      { evidence },
    )
  if (result.exitCode !== 0 || turnFailed) {
    const reason = errors.at(-1) ?? result.stderrTail.split('\n').at(-1) ?? 'no reason given'
    throw noReview(`the Codex CLI ended with ${result.exitCode ?? result.signal}: ${reason}`, {
      evidence,
    })
  }
  if (!usage)
    throw new Problem(
      'review_invalid',
      `No review was made: the Codex CLI ended before it completed its turn. ${untouched}`,
    )
  return usage
}

/** A pipe, device or link in place of the answer is not opened: reading it might never end. */
function readAnswer(path: string): string {
  const text = readRegularFile(path, maxAnswerBytes)
  if (text !== null) return text
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return ''
  throw new Problem(
    'review_invalid',
    `The answer of the reviewer is not a regular file of at most ${maxAnswerBytes} bytes. Nothing was pushed.`,
  )
}
