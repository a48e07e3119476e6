// The diff under review, made from git objects alone and divided into packets.
import { randomBytes } from 'node:crypto'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ReviewedFile, ReviewedStretch } from '#shared/verdict'
import { Problem } from '#shared/errors'
import { shortCommit } from '#shared/ids'
import type { Range } from '#ops/core/trust/verdict-link'
import { withNeutralGit, type NeutralGit } from '#ops/platform/git/neutral-diff'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { copyRedacted } from '#ops/base/redact/redact-files'
import { redactSource } from '#ops/base/redact/redaction'
import { sectionsOf } from '#ops/features/ship/hazards/diff-sections'
import { ruleFor } from '#ops/features/ship/hazards/file-rules'
import { packetsOf, type Packet, type WholeDiff } from './packets.ts'
import type { ReviewBindings } from './review-prompt.ts'
import type { GateSettings } from '#ops/features/ship/state/gate-settings'
import type { ReviewedChange } from '#ops/features/ship/state/change'

/** A packet with the values that tie an answer to it. */
export interface BoundPacket extends Packet {
  readonly bindings: ReviewBindings
}

export interface ReviewDiff {
  readonly files: readonly ReviewedFile[]
  /** SHA-256 over the bytes of the whole diff. */
  readonly sha256: string
  /** What is shown beside the change, oldest first. */
  readonly unproven: readonly ReviewedStretch[]
  /** In the order of the diff; one for a change that fits a single question. */
  readonly packets: readonly [BoundPacket, ...BoundPacket[]]
}

/** What is reviewed: a change, and the limits of its gates. */
export interface DiffSource extends ReviewedChange {
  readonly tree: string
  readonly gates: Pick<GateSettings, 'review'>
}

/**
 * Makes the diffs from objects alone and divides them into packets, each with its own nonce. The reviewer gets them as
 * they are; the copies in the proof are without secrets, which a change may also remove from the tree.
 *
 * @param files `copy`: path of the copy of the change for the proof; `besideCopy`: of what is shown beside it;
 *   `scratch`: folder that is removed after the review
 * @throws {Problem} `nothing_to_ship` for a change of no file, which nobody can approve; `review_too_large`
 */
export const makeReviewDiff = (
  source: DiffSource,
  files: DiffFiles,
  context: Pick<StepContext, 'log' | 'signal'>,
): Promise<ReviewDiff> =>
  withNeutralGit(
    source.repo,
    async (neutral) => {
      const { base, head, unproven, gates } = source
      const maker = new DiffMaker(neutral, files.scratch)
      const change = await maker.make({ base_sha: base, head_sha: head })
      if (change.files.length === 0)
        throw new Problem(
          'nothing_to_ship',
          `The change from ${shortCommit(base)} to ${shortCommit(head)} alters no file, ` +
            'so there is nothing to review. Nothing was pushed.',
        )
      const beside: MadeDiff[] = []
      for (const range of unproven) beside.push(await maker.make(range))
      if (await copyDiffs(change, beside, files)) context.log(redactedNote)
      report(change, beside, context)
      const packets = packetsOf([change, ...beside], gates.review)
      const [first, ...more] = packets.map((packet) => bind(packet, source))
      if (first === undefined) throw new Error('a diff without a packet')
      return {
        files: change.files,
        sha256: change.sha256,
        unproven: beside.map(({ range, sha256, files: changed }) => ({
          ...range,
          diff_sha256: sha256,
          files: changed,
        })),
        packets: [first, ...more],
      }
    },
    { signal: context.signal },
  )

export interface DiffFiles {
  readonly copy: string
  readonly besideCopy: string
  readonly scratch: string
}

interface MadeDiff extends WholeDiff {
  readonly files: ReviewedFile[]
  /** Where the whole diff lies until the review has ended. */
  readonly path: string
  readonly bytes: number
}

/** Makes one diff after the other in a folder. */
class DiffMaker {
  readonly #neutral: NeutralGit
  readonly #folder: string
  #made = 0

  constructor(neutral: NeutralGit, folder: string) {
    this.#neutral = neutral
    this.#folder = folder
  }

  async make(range: Range): Promise<MadeDiff> {
    const { base_sha, head_sha } = range
    const neutral = this.#neutral
    this.#made += 1
    const path = join(this.#folder, `diff-${this.#made}.patch`)
    const { sha256, bytes } = await neutral.diffTo(path, base_sha, head_sha)
    const files = (await neutral.changedFiles(base_sha, head_sha)).map(withRule)
    const sections = sectionsOf(readFileSync(path), files)
    const sizes = await neutral.sizes(
      sections.flatMap(({ file, blobs }) =>
        file.binary ? [blobs.before, blobs.after].filter((id) => id !== null) : [],
      ),
    )
    return { range, path, bytes, sha256, files, sections, sizes }
  }
}

const redactedNote =
  'the diff holds what looks like secrets; they are removed from the copy in the proof'

/** Copies the diffs into the proof. @returns whether something was taken out of them */
async function copyDiffs(
  change: MadeDiff,
  beside: readonly MadeDiff[],
  { copy, besideCopy, scratch }: DiffFiles,
): Promise<boolean> {
  const found = await copyRedacted({ from: change.path, to: copy }, redactSource, copyNote)
  if (beside.length === 0) return found
  const joined = join(scratch, 'unproven.patch')
  writeFileSync(joined, '')
  for (const { range, path } of beside) {
    appendFileSync(joined, `# ${range.base_sha}..${range.head_sha}\n`)
    appendFileSync(joined, readFileSync(path))
  }
  return (await copyRedacted({ from: joined, to: besideCopy }, redactSource, copyNote)) || found
}

function report(
  change: MadeDiff,
  beside: readonly MadeDiff[],
  { log }: Pick<StepContext, 'log'>,
): void {
  log(`${change.files.length} files, ${change.bytes} bytes of diff`)
  for (const { range, files, bytes } of beside)
    log(
      `not proven yet, and reviewed too: ${shortCommit(range.base_sha)}..${shortCommit(range.head_sha)}, ` +
        `${files.length} files, ${bytes} bytes of diff`,
    )
  for (const { path, handling } of [change, ...beside].flatMap(({ files }) => files))
    if (handling !== undefined) log(`${path}: ${handling}`)
}

/** Gives a packet the values that tie an answer to it. */
const bind = (packet: Packet, { base, head, tree }: DiffSource): BoundPacket => ({
  ...packet,
  bindings: {
    base_sha: base,
    head_sha: head,
    tree_sha: tree,
    diff_sha256: packet.sha256,
    nonce: randomBytes(32).toString('hex'),
    files: [
      ...new Set(
        [packet, ...packet.stretches].flatMap(({ files }) => files.map(({ path }) => path)),
      ),
    ],
  },
})

/** First line of a copy from which something was removed. Readers of diffs skip what comes before the first file. */
const copyNote =
  '# Secrets were removed from this copy. The digest in the verdict is that of the whole diff.\n'

const withRule = (file: ReviewedFile): ReviewedFile => {
  const handling = ruleFor(file)
  return handling === null ? file : { ...file, handling }
}
