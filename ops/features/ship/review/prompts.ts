// The prompts of one review: one for each packet of the change.
import type { BoundPacket, ReviewDiff } from './review-diff.ts'
import { reviewPrompt } from './review-prompt.ts'
import { sha256Of } from '#ops/base/sha256'

/** What every request of one review says besides its packet. */
export interface PromptNotes {
  readonly gateChanges: readonly string[]
  readonly flags: readonly string[]
}

export interface Prompted {
  readonly packet: BoundPacket
  readonly prompt: string
}

/** In the order of the packets. */
export function promptsOf(diff: ReviewDiff, notes: PromptNotes): Prompted[] {
  const count = diff.packets.length
  const paths = [diff, ...diff.unproven].flatMap(({ files }) => files.map(({ path }) => path))
  return diff.packets.map((packet) => {
    const { bindings, files, index, text, stretches } = packet
    const others = [...new Set(paths)].filter((path) => !bindings.files.includes(path))
    return {
      packet,
      prompt: reviewPrompt({
        bindings,
        files,
        ...notes,
        diff: text,
        stretches,
        packet: count === 1 ? null : { index, count, others },
      }),
    }
  })
}

/** Digest of all prompts of a review together. */
export const promptDigest = (prompted: readonly Prompted[]): string =>
  sha256Of(prompted.map(({ prompt }) => prompt).join(''))

/**
 * Digest of the prompts that this review would send with the nonces of an earlier one. Equal digests mean that the
 * request is the same in every word. Null when the number of packets differs.
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
