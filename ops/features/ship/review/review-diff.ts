// The diff under review, made from git objects alone and divided into packets.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ReviewedFile } from '#shared/verdict'
import { withNeutralGit } from '#ops/platform/git/neutral-diff'
import type { StepContext } from '#ops/core/pipeline/pipeline'
import { copyRedacted } from '#ops/base/redact/redact-files'
import { redactSource } from '#ops/base/redact/redaction'
import { sectionsOf } from '#ops/features/ship/hazards/diff-sections'
import { ruleFor } from '#ops/features/ship/hazards/file-rules'
import { packetsOf, type Packet } from './packets.ts'
import type { ReviewBindings } from './review-prompt.ts'
import type { GateSettings } from '#ops/features/ship/state/gate-settings'
import type { Change } from '#ops/features/ship/state/change'

/** A packet with the values that tie an answer to it. */
export interface BoundPacket extends Packet {
  readonly bindings: ReviewBindings
}

export interface ReviewDiff {
  readonly files: readonly ReviewedFile[]
  /** SHA-256 over the bytes of the whole diff. */
  readonly sha256: string
  /** In the order of the diff; one for a change that fits a single question. */
  readonly packets: readonly [BoundPacket, ...BoundPacket[]]
}

/** What is reviewed: a change, and the limits of its gates. */
export interface DiffSource extends Change {
  readonly tree: string
  readonly gates: Pick<GateSettings, 'review'>
}

/**
 * Makes the diff from objects alone and divides it into packets, each with its own nonce. The reviewer gets the diff
 * as it is; the copy in the proof is without secrets, which a change may also remove from the tree.
 *
 * @param files `copy`: path of the copy for the proof; `scratch`: folder that is removed after the review
 * @throws {Problem} `review_too_large`
 */
export async function makeReviewDiff(
  source: DiffSource,
  files: { readonly copy: string; readonly scratch: string },
  context: Pick<StepContext, 'log' | 'signal'>,
): Promise<ReviewDiff> {
  const { repo, base, head } = source
  return withNeutralGit(
    repo,
    async (neutral) => {
      const whole = join(files.scratch, 'diff.patch')
      const { sha256, bytes } = await neutral.diffTo(whole, base, head)
      if (await copyRedacted({ from: whole, to: files.copy }, redactSource, copyNote))
        context.log(
          'the diff holds what looks like secrets; they are removed from the copy in the proof',
        )
      const changed = (await neutral.changedFiles(base, head)).map(withRule)
      context.log(`${changed.length} files, ${bytes} bytes of diff`)
      const sections = sectionsOf(readFileSync(whole), changed)
      const sizes = await neutral.sizes(
        sections.flatMap(({ file, blobs }) =>
          file.binary ? [blobs.before, blobs.after].filter((id) => id !== null) : [],
        ),
      )
      const packets = packetsOf({ sections, sizes, sha256 }, source.gates.review)
      for (const { path, handling } of changed)
        if (handling !== undefined) context.log(`${path}: ${handling}`)
      const [first, ...more] = packets.map((packet) => bind(packet, source))
      if (first === undefined) throw new Error('a diff without a packet')
      return { files: changed, sha256, packets: [first, ...more] }
    },
    { signal: context.signal },
  )
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
    files: packet.files.map((file) => file.path),
  },
})

/** First line of a copy from which something was removed. Readers of diffs skip what comes before the first file. */
const copyNote =
  '# Secrets were removed from this copy. The digest in the verdict is that of the whole diff.\n'

const withRule = (file: ReviewedFile): ReviewedFile => {
  const handling = ruleFor(file)
  return handling === null ? file : { ...file, handling }
}
