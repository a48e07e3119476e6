// Divides a change into packets of whole files, each small enough for one request to the reviewer.
import { createHash } from 'node:crypto'
import { Problem } from '#shared/errors'
import type { ReviewedFile } from '#shared/verdict'
import type { DiffSection } from '#ops/features/ship/hazards/diff-sections'

/** What one request to the reviewer is about. */
export interface Packet {
  /** From 1. */
  readonly index: number
  readonly files: readonly ReviewedFile[]
  /** Over the bytes of the diff's own sections. */
  readonly sha256: string
  /** What the reviewer reads: the sections, with the content of binary files replaced by their size. */
  readonly text: string
}

export interface PacketLimits {
  readonly max_diff_bytes: number
  readonly max_packets: number
}

const untouched = 'No review was requested and nothing was pushed.'
/** All of one diff. */
export interface WholeDiff {
  readonly sections: readonly DiffSection[]
  /** Bytes of each blob. */
  readonly sizes: ReadonlyMap<string, number>
  /** Digest of the whole diff. */
  readonly sha256: string
}

/**
 * Divides a change into packets of whole files, in the diff's order, none larger than `max_diff_bytes` as shown.
 *
 * @throws {Problem} `review_too_large`: a single file is larger, or there would be more than `max_packets`
 * @throws {Error} when the packets together are not the diff, which is a bug
 */
export function packetsOf(diff: WholeDiff, limits: PacketLimits): Packet[] {
  const groups = groupSections(diff, limits)
  if (groups.length > limits.max_packets)
    throw new Problem(
      'review_too_large',
      `The diff takes ${groups.length} packets of at most ${limits.max_diff_bytes} bytes; ` +
        `one review takes at most ${limits.max_packets}. ${untouched}`,
    )
  refuseGaps(
    groups.map((group) => group.map(({ section }) => section)),
    diff,
  )
  return groups.map((group, at): Packet => ({
    index: at + 1,
    files: group.map(({ section }) => section.file),
    sha256: digest(group.map(({ section }) => section.bytes)),
    text: group.map(({ text }) => text).join(''),
  }))
}

interface ShownSection {
  readonly section: DiffSection
  readonly text: string
}

/** @throws {Problem} `review_too_large` for a single file */
function groupSections(
  { sections, sizes }: WholeDiff,
  { max_diff_bytes }: PacketLimits,
): ShownSection[][] {
  const groups: ShownSection[][] = [[]]
  let room = max_diff_bytes
  for (const section of sections) {
    const text = shown(section, sizes)
    const size = Buffer.byteLength(text)
    if (size > max_diff_bytes)
      throw new Problem(
        'review_too_large',
        `The diff of ${section.file.path} alone has ${size} bytes; one review takes at most ${max_diff_bytes}, ` +
          `and a file is never split. ${untouched}`,
        { evidence: [section.file.path] },
      )
    if (size > room) {
      groups.push([])
      room = max_diff_bytes
    }
    groups.at(-1)?.push({ section, text })
    room -= size
  }
  return groups
}

const digest = (parts: readonly Buffer[]): string => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest('hex')
}

/** @param sizes bytes of each blob */
function shown({ file, bytes, blobs }: DiffSection, sizes: ReadonlyMap<string, number>): string {
  if (!file.binary) return bytes.toString('utf8')
  const side = (id: string | null): string =>
    id === null ? 'none' : `blob ${id}, ${sizes.get(id) ?? 'unknown'} bytes`
  // No line of a binary patch starts like a section, so this ends with it; what is text of a changed type stays.
  const rest = bytes
    .toString('utf8')
    .replaceAll(/^GIT binary patch\n[^]*?(?=^diff --git |(?![^]))/gm, '')
  return `${rest}Binary content, not shown. Before: ${side(blobs.before)}. After: ${side(blobs.after)}.\n`
}

/** Every file in exactly one packet, and all packets together the diff that is bound, to the byte. */
function refuseGaps(
  groups: readonly (readonly DiffSection[])[],
  { sections, sha256 }: WholeDiff,
): void {
  const covered = groups.flat()
  const paths = new Set(covered.map(({ file }) => file.path))
  if (covered.length !== sections.length || paths.size !== sections.length)
    throw new Error('a changed file is in no packet or in two')
  if (digest(covered.map(({ bytes }) => bytes)) !== sha256)
    throw new Error('the packets together are not the diff')
}
