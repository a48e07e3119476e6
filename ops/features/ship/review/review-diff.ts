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
import type { Frozen } from '#ops/features/ship/state/ship-state'

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

/** First line of a copy that something was taken out of. Readers of diffs skip what comes before the first file. */
const copyNote =
  '# Secrets were taken out of this copy. The digest in the verdict is that of the whole diff.\n'

const withRule = (file: ReviewedFile): ReviewedFile => {
  const handling = ruleFor(file)
  return handling === null ? file : { ...file, handling }
}

/**
 * Makes the diff from objects alone and divides it into packets, each with a nonce of its own. The reviewer is asked
 * about the diff as it is; the copy in the proof is without what is secret, which a change may take out of the tree.
 *
 * @param path of the copy for the proof
 * @param scratch folder that is removed after the review
 * @param written called as soon as the copy is there
 * @throws {Problem} `review_too_large`
 */
export async function makeReviewDiff(
  repo: string,
  { base, head, tree, gates }: Pick<Frozen, 'base' | 'head' | 'tree' | 'gates'>,
  { path, scratch }: { readonly path: string; readonly scratch: string },
  context: Pick<StepContext, 'log' | 'signal'>,
  written: () => void,
): Promise<ReviewDiff> {
  return withNeutralGit(
    repo,
    async (neutral) => {
      const whole = join(scratch, 'diff.patch')
      const { sha256, bytes } = await neutral.diffTo(whole, base, head)
      if (await copyRedacted({ from: whole, to: path }, redactSource, copyNote))
        context.log(
          'the diff holds what looks like secrets; they are taken out of the copy in the proof',
        )
      const files = (await neutral.changedFiles(base, head)).map(withRule)
      written()
      context.log(`${files.length} files, ${bytes} bytes of diff`)
      const sections = sectionsOf(readFileSync(whole), files)
      const sizes = await neutral.sizes(
        sections.flatMap(({ file, blobs }) =>
          file.binary ? [blobs.before, blobs.after].filter((id) => id !== null) : [],
        ),
      )
      const packets = packetsOf(sections, sizes, sha256, gates.review)
      for (const { path: of, handling } of files)
        if (handling !== undefined) context.log(`${of}: ${handling}`)
      const [first, ...more] = packets.map((packet): BoundPacket => ({
        ...packet,
        bindings: {
          base_sha: base,
          head_sha: head,
          tree_sha: tree,
          diff_sha256: packet.sha256,
          nonce: randomBytes(32).toString('hex'),
          files: packet.files.map((file) => file.path),
        },
      }))
      if (first === undefined) throw new Error('a diff without a packet')
      return { files, sha256, packets: [first, ...more] }
    },
    { signal: context.signal },
  )
}
