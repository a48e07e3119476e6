// Requests a review of each packet of a change; every one must be approved.
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { ReviewAnswer, ReviewPacket, Verdict } from '#shared/verdict'
import { sha256Of } from '#ops/base/sha256'
import { writeWhole } from '#ops/base/files/json-file'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { redact, redactSource } from '#ops/base/redact/redaction'
import { writeDocument } from '#ops/base/redact/write-document'
import { mergeAnswers, sumUsage, type Answered } from './answers.ts'
import { runCodex, type CodexRequest } from './codex-run.ts'
import { judgeAnswer, parseAnswer } from './judge-answer.ts'
import { untouched } from './no-review.ts'
import { packetsFolder, requestFiles } from './proof-files.ts'
import { promptDigest, promptsOf, type Prompted, type PromptNotes } from './prompts.ts'
import type { BoundPacket, ReviewDiff } from './review-diff.ts'

export interface ReviewRequest {
  readonly diff: ReviewDiff
  readonly notes: PromptNotes
  /** What is the same for every packet. */
  readonly codex: Omit<CodexRequest, 'prompt' | 'events'>
}

export interface ReviewOutcome {
  /** The answer; of several, the answers merged into one. For people to read. */
  readonly answer: ReviewAnswer
  readonly usage: Verdict['usage']
  readonly prompt_sha256: string
  readonly nonce: string
  /** Null for a change that took one request. */
  readonly packets: ReviewPacket[] | null
}

/**
 * Requests a review of each packet in turn; every one must be approved. A refusal does not stop the others, so that one
 * ship shows all findings; any other failure does. With several packets each has a folder `packets/<n>` of the proof,
 * and the files of the proof itself hold them one after the other.
 *
 * @throws {Problem} `review_blocked` with all findings; all that `runCodex`, `parseAnswer` and `judgeAnswer` throw
 */
export async function requestReview(
  request: ReviewRequest,
  context: StepContext,
): Promise<ReviewOutcome> {
  const { diff, notes } = request
  const nonce = nonceOf(diff)
  const proof = new ReviewProof(context.dir, diff)
  const prompted = promptsOf(diff, notes)
  proof.writePrompts(prompted)
  const answered: Answered[] = []
  try {
    for (const each of prompted)
      answered.push(await requestPacket({ ...request, proof }, each, context))
  } finally {
    proof.collect(requestFiles.review_events)
    proof.writeMerged(answered, nonce)
  }
  refuseUnlessAllApproved(answered, diff.packets.length)
  const [only] = answered
  return {
    answer: proof.isSplit || !only ? mergeAnswers(answered, diff, nonce) : only.answer,
    usage: sumUsage(answered),
    nonce,
    prompt_sha256: promptDigest(prompted),
    packets: proof.isSplit ? answered.map(packetOf) : null,
  }
}

const nonceOf = ({ packets }: ReviewDiff): string =>
  packets.length === 1
    ? packets[0].bindings.nonce
    : sha256Of(packets.map(({ bindings }) => bindings.nonce).join('\n'))

async function requestPacket(
  { diff, codex, proof }: ReviewRequest & { readonly proof: ReviewProof },
  { packet, prompt }: Prompted,
  context: StepContext,
): Promise<Answered> {
  const { index, files } = packet
  if (proof.isSplit) context.log(`part ${index} of ${diff.packets.length}: ${files.length} files`)
  const scratch = join(codex.scratch, String(index))
  mkdirSync(scratch)
  const folder = proof.folderOf(index)
  const events = join(folder, requestFiles.review_events)
  const { text, usage } = await runCodex({ ...codex, prompt, scratch, events }, context)
  // Judged as it was given; what is kept of it, and signed, must not quote a secret.
  const given = parseAnswer(text)
  const answer: ReviewAnswer = {
    ...given,
    findings: redact.json(given.findings),
    summary: redact.text(given.summary),
  }
  writeDocument(join(folder, requestFiles.review_answer), answer)
  return { packet, prompt, answer, usage, refused: refusalOf(given, packet) }
}

/** @returns the refusal of a reviewer who got this request @throws {Problem} anything else that is not an approval */
function refusalOf(answer: ReviewAnswer, { bindings }: BoundPacket): Problem | null {
  try {
    judgeAnswer(answer, bindings)
    return null
  } catch (error) {
    if (error instanceof Problem && error.errorClass === 'review_blocked') return error
    throw error
  }
}

/** @throws {Problem} `review_blocked`, `review_incomplete` */
function refuseUnlessAllApproved(answered: readonly Answered[], count: number): void {
  const refused = answered.flatMap((each) => each.refused ?? [])
  const [first] = refused
  if (first && count === 1) throw first
  if (first)
    throw new Problem(
      'review_blocked',
      `${refused.length} of ${count} parts were not approved, first: ${first.message}`,
      { evidence: refused.flatMap(({ evidence }) => evidence).slice(0, 50) },
    )
  if (answered.length !== count)
    throw new Problem(
      'review_incomplete',
      `${answered.length} of ${count} parts were reviewed. ${untouched}`,
    )
}

const packetOf = ({ packet, prompt, usage }: Answered): ReviewPacket => ({
  index: packet.index,
  files: [...packet.bindings.files],
  diff_sha256: packet.sha256,
  prompt_sha256: sha256Of(prompt),
  nonce: packet.bindings.nonce,
  usage,
})

/** The files of a review in the proof: a folder for each packet when there are several. */
class ReviewProof {
  readonly #dir: string
  readonly #diff: ReviewDiff
  readonly isSplit: boolean

  constructor(dir: string, diff: ReviewDiff) {
    this.#dir = dir
    this.#diff = diff
    this.isSplit = diff.packets.length > 1
  }

  folderOf(index: number): string {
    return this.isSplit ? join(this.#dir, packetsFolder, String(index)) : this.#dir
  }

  writePrompts(prompted: readonly Prompted[]): void {
    for (const { packet, prompt } of prompted)
      writeWhole(
        join(this.folderOf(packet.index), requestFiles.review_prompt),
        redactSource.text(prompt),
      )
    this.collect(requestFiles.review_prompt)
  }

  /** Joins a file of all packets into one of the proof itself. */
  collect(name: string): void {
    if (!this.isSplit) return
    const parts = this.#diff.packets
      .map(({ index }) => join(this.folderOf(index), name))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'utf8'))
    if (parts.length > 0) writeWhole(join(this.#dir, name), parts.join(''))
  }

  writeMerged(answered: readonly Answered[], nonce: string): void {
    if (this.isSplit && answered.length > 0)
      writeDocument(
        join(this.#dir, requestFiles.review_answer),
        mergeAnswers(answered, this.#diff, nonce),
      )
  }
}
