import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { ReviewAnswer, ReviewPacket, Verdict } from '#shared/verdict'
import { writeWhole } from '#ops/base/files/json-file'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { redact, redactSource } from '#ops/base/redact/redaction'
import { writeDocument } from '#ops/base/redact/write-document'
import { askCodex, type CodexQuestion } from './codex-run.ts'
import { judgeAnswer, parseAnswer } from './judge-answer.ts'
import type { BoundPacket, ReviewDiff } from './review-diff.ts'
import { reviewPrompt } from './review-prompt.ts'

export const questionFiles = {
  review_prompt: 'review_prompt.txt',
  review_events: 'review.jsonl',
  review_answer: 'review_answer.json',
} as const

/** In the proof of a change that took several questions: a folder for each. */
export const packetsFolder = 'packets'

const digest = (text: string): string => createHash('sha256').update(text).digest('hex')
const untouched = 'Nothing was pushed; main is as it was.'

export interface ReviewOutcome {
  /** The answer, of several the answers in one; what a person reads. */
  readonly answer: ReviewAnswer
  readonly usage: Verdict['usage']
  readonly prompt_sha256: string
  readonly nonce: string
  /** Null for a change that took one question. */
  readonly packets: ReviewPacket[] | null
}

type Asked = {
  readonly packet: BoundPacket
  readonly prompt: string
  readonly answer: ReviewAnswer
  readonly usage: Verdict['usage']
  readonly refused: Problem | null
}

/** Several answers as one about the whole change: each file is named once, the findings stand together. */
function merge(asked: readonly Asked[], diff: ReviewDiff, nonce: string): ReviewAnswer {
  const { base_sha, head_sha, tree_sha } = diff.packets[0].bindings
  return {
    verdict:
      asked.length === diff.packets.length &&
      asked.every(({ answer, refused }) => refused === null && answer.verdict === 'APPROVED')
        ? 'APPROVED'
        : 'CHANGES_REQUESTED',
    base_sha,
    head_sha,
    tree_sha,
    diff_sha256: diff.sha256,
    nonce,
    files_reviewed: asked.flatMap(({ packet, answer }) =>
      packet.bindings.files.filter((file) => answer.files_reviewed.includes(file)),
    ),
    findings: asked.flatMap(({ answer }) => answer.findings),
    summary: asked
      .map(
        ({ packet, answer }) => `Part ${packet.index} of ${diff.packets.length}: ${answer.summary}`,
      )
      .join('\n'),
  }
}

const sum = (asked: readonly Asked[]): Verdict['usage'] =>
  asked.reduce<Verdict['usage']>(
    (total, { usage }) =>
      total && usage
        ? {
            input_tokens: total.input_tokens + usage.input_tokens,
            output_tokens: total.output_tokens + usage.output_tokens,
          }
        : null,
    { input_tokens: 0, output_tokens: 0 },
  )

/** What every question of one review says besides its packet. */
export interface PromptNotes {
  readonly gateChanges: readonly string[]
  readonly flags: readonly string[]
}
interface Prompted {
  readonly packet: BoundPacket
  readonly prompt: string
}

function promptsOf(diff: ReviewDiff, notes: PromptNotes): Prompted[] {
  const count = diff.packets.length
  return diff.packets.map((packet) => ({
    packet,
    prompt: reviewPrompt({
      bindings: packet.bindings,
      files: packet.files,
      ...notes,
      diff: packet.text,
      packet:
        count === 1
          ? null
          : {
              index: packet.index,
              count,
              others: diff.files
                .map(({ path }) => path)
                .filter((path) => !packet.bindings.files.includes(path)),
            },
    }),
  }))
}

const promptDigest = (prompted: readonly Prompted[]): string =>
  digest(prompted.map(({ prompt }) => prompt).join(''))

/**
 * Digest of the prompts this review would send, had it the nonces of an earlier one: equal digests are the same question,
 * in every word. Null when the number of packets differs.
 * @param nonces one for each packet
 */
export function promptDigestWith(
  diff: ReviewDiff,
  notes: PromptNotes,
  nonces: readonly string[],
): string | null {
  if (nonces.length !== diff.packets.length) return null
  const [first, ...more] = diff.packets.map((packet, at): BoundPacket => ({
    ...packet,
    bindings: { ...packet.bindings, nonce: nonces[at] ?? '' },
  }))
  return first === undefined
    ? null
    : promptDigest(promptsOf({ ...diff, packets: [first, ...more] }, notes))
}

/**
 * Asks about each packet in turn; every one must be approved. A refusal does not stop the others, so that one ship
 * shows all findings; anything else that goes wrong does. With several packets each has a folder `packets/<n>` of the
 * proof, and the files of the proof itself hold them one after the other.
 *
 * @param ask what of the question to Codex is the same for every packet
 * @throws {Problem} `review_blocked` with all findings; whatever `askCodex`, `parseAnswer` and `judgeAnswer` throw
 */
export async function askAll(
  diff: ReviewDiff,
  notes: PromptNotes,
  ask: Omit<CodexQuestion, 'prompt' | 'scratch' | 'events'> & { readonly scratch: string },
  context: StepContext,
): Promise<ReviewOutcome> {
  const count = diff.packets.length
  const nonce =
    count === 1
      ? diff.packets[0].bindings.nonce
      : digest(diff.packets.map(({ bindings }) => bindings.nonce).join('\n'))
  const folderOf = (index: number): string =>
    count === 1 ? context.dir : join(context.dir, packetsFolder, String(index))
  const collect = (name: string): void => {
    if (count === 1) return
    const parts = diff.packets
      .map(({ index }) => join(folderOf(index), name))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'utf8'))
    if (parts.length > 0) writeWhole(join(context.dir, name), parts.join(''))
  }
  const prompted = promptsOf(diff, notes)
  for (const { packet, prompt } of prompted)
    writeWhole(join(folderOf(packet.index), questionFiles.review_prompt), redactSource.text(prompt))
  collect(questionFiles.review_prompt)

  const asked: Asked[] = []
  try {
    for (const { packet, prompt } of prompted) {
      if (count > 1) context.log(`part ${packet.index} of ${count}: ${packet.files.length} files`)
      const scratch = join(ask.scratch, String(packet.index))
      mkdirSync(scratch)
      const { text, usage } = await askCodex(
        {
          ...ask,
          prompt,
          scratch,
          events: join(folderOf(packet.index), questionFiles.review_events),
        },
        context,
      )
      // Judged as it was given; what is kept of it, and signed, must not quote a secret.
      const given = parseAnswer(text)
      const answer: ReviewAnswer = {
        ...given,
        findings: redact.json(given.findings),
        summary: redact.text(given.summary),
      }
      writeDocument(join(folderOf(packet.index), questionFiles.review_answer), answer)
      asked.push({ packet, prompt, answer, usage, refused: refusal(given, packet) })
    }
  } finally {
    collect(questionFiles.review_events)
    if (count > 1 && asked.length > 0)
      writeDocument(join(context.dir, questionFiles.review_answer), merge(asked, diff, nonce))
  }
  const refused = asked.flatMap((each) => each.refused ?? [])
  if (refused[0] && count === 1) throw refused[0]
  if (refused[0])
    throw new Problem(
      'review_blocked',
      `${refused.length} of ${count} parts were not approved, first: ${refused[0].message}`,
      { evidence: refused.flatMap(({ evidence }) => evidence).slice(0, 50) },
    )
  if (asked.length !== count)
    throw new Problem(
      'review_incomplete',
      `${asked.length} of ${count} parts were reviewed. ${untouched}`,
    )
  return {
    answer: count === 1 && asked[0] ? asked[0].answer : merge(asked, diff, nonce),
    usage: sum(asked),
    nonce,
    prompt_sha256: promptDigest(prompted),
    packets:
      count === 1
        ? null
        : asked.map(({ packet, prompt, usage }) => ({
            index: packet.index,
            files: [...packet.bindings.files],
            diff_sha256: packet.sha256,
            prompt_sha256: digest(prompt),
            nonce: packet.bindings.nonce,
            usage,
          })),
  }
}

/** @returns the refusal of a reviewer who was asked this very question @throws {Problem} anything else that is no approval */
function refusal(answer: ReviewAnswer, { bindings }: BoundPacket): Problem | null {
  try {
    judgeAnswer(answer, bindings)
    return null
  } catch (error) {
    if (error instanceof Problem && error.errorClass === 'review_blocked') return error
    throw error
  }
}
