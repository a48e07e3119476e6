// Divides a change into packets of whole files, each small enough for one request to the reviewer.
import { createHash } from 'node:crypto'
import { Problem } from '#shared/errors'
import type { ReviewedFile } from '#shared/verdict'
import type { Range } from '#ops/core/trust/verdict-link'
import type { DiffSection } from '#ops/features/ship/hazards/diff-sections'

/** Files of one diff as the reviewer reads them. */
export interface ShownFiles {
  readonly files: readonly ReviewedFile[]
  /** Their sections, with the content of binary files replaced by their size. */
  readonly text: string
}

/** Files of a range that was not proven before. */
export interface ShownStretch extends ShownFiles, Range {}

/** What one request to the reviewer is about: files of the change, and of what is shown beside it. */
export interface Packet extends ShownFiles {
  /** From 1. */
  readonly index: number
  readonly stretches: readonly ShownStretch[]
  /** Over the bytes of the sections themselves, of the change first. */
  readonly sha256: string
}

export interface PacketLimits {
  readonly max_diff_bytes: number
  readonly max_packets: number
}

const untouched = 'No review was requested and nothing was pushed.'
/** All of one diff. */
export interface WholeDiff {
  readonly range: Range
  readonly sections: readonly DiffSection[]
  /** Bytes of each blob. */
  readonly sizes: ReadonlyMap<string, number>
  /** Digest of the whole diff. */
  readonly sha256: string
}

/**
 * Divides diffs into packets of whole files, in the order of the diffs, none larger than `max_diff_bytes` as shown.
 *
 * @param diffs the change, then what is shown beside it
 * @throws {Problem} `review_too_large`: a single file is larger, or there would be more than `max_packets`
 * @throws {Error} when the packets together are not the diffs, which is a bug
 */
export function packetsOf(
  diffs: readonly [WholeDiff, ...WholeDiff[]],
  limits: PacketLimits,
): Packet[] {
  const groups = groupSections(diffs, limits)
  if (groups.length > limits.max_packets)
    throw new Problem(
      'review_too_large',
      `The diff takes ${groups.length} packets of at most ${limits.max_diff_bytes} bytes; ` +
        `one review takes at most ${limits.max_packets}. ${untouched}`,
    )
  refuseGaps(groups.flat(), diffs)
  const [change, ...beside] = diffs
  return groups.map((group, at): Packet => ({
    index: at + 1,
    ...shownOf(group, change),
    stretches: beside
      .map((diff) => ({ ...diff.range, ...shownOf(group, diff) }))
      .filter(({ files }) => files.length > 0),
    sha256: digest(group.map(({ section }) => section.bytes)),
  }))
}

interface ShownSection {
  readonly diff: WholeDiff
  readonly section: DiffSection
  readonly text: string
}

/** What a packet shows of one diff. */
function shownOf(group: readonly ShownSection[], diff: WholeDiff): ShownFiles {
  const shown = group.filter((each) => each.diff === diff)
  return {
    files: shown.map(({ section }) => section.file),
    text: shown.map(({ text }) => text).join(''),
  }
}

/** @throws {Problem} `review_too_large` for a single file */
function groupSections(
  diffs: readonly WholeDiff[],
  { max_diff_bytes }: PacketLimits,
): ShownSection[][] {
  const groups: ShownSection[][] = [[]]
  let room = max_diff_bytes
  const all = diffs.flatMap((diff) => diff.sections.map((section) => ({ diff, section })))
  for (const { diff, section } of all) {
    const text = shown(section, diff.sizes)
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
    groups.at(-1)?.push({ diff, section, text })
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

/** Every file of a diff in exactly one packet, and all packets together the diffs that are bound, to the byte. */
function refuseGaps(shown: readonly ShownSection[], diffs: readonly WholeDiff[]): void {
  for (const diff of diffs) {
    const covered = shown.filter((each) => each.diff === diff).map(({ section }) => section)
    const paths = new Set(covered.map(({ file }) => file.path))
    if (covered.length !== diff.sections.length || paths.size !== diff.sections.length)
      throw new Error('a changed file is in no packet or in two')
    if (digest(covered.map(({ bytes }) => bytes)) !== diff.sha256)
      throw new Error('the packets together are not the diff')
  }
}
