// Divides a diff among its files, without losing a byte.
import type { ReviewedFile } from '#shared/verdict'

/** The part of a diff that is about one file. */
export interface DiffSection {
  readonly file: ReviewedFile
  /** As they stand in the diff, to the byte. */
  readonly bytes: Buffer
  /** Blobs before and after, where git names them; null: there is none. */
  readonly blobs: { readonly before: string | null; readonly after: string | null }
}

const start = 'diff --git '
const named: Readonly<Record<number, string>> = {
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
}

/**
 * Divides a diff of `ops/platform/git/neutral-diff.ts` among its files, in the diff's order. Joined again, the sections
 * are the diff.
 *
 * @param files the changed files in the diff's order
 * @throws {Error} when diff and list do not agree, so that nothing is ever left out of a review
 */
export function sectionsOf(diff: Buffer, files: readonly ReviewedFile[]): DiffSection[] {
  const parts = cut(diff)
  let next = 0
  const sections = files.map((file): DiffSection => {
    const head = `${start}${quotePath(`a/${file.path}`)} ${quotePath(`b/${file.path}`)}`
    // A file that became a link, or the reverse, has two: one that deletes and one that adds.
    const matching: Buffer[] = []
    for (let part = parts[next]; part !== undefined && headOf(part) === head; part = parts[next]) {
      matching.push(part)
      next += 1
    }
    if (matching.length !== (file.status === 'type_changed' ? 2 : 1))
      throw new Error(`the diff has ${matching.length} sections of ${JSON.stringify(file.path)}`)
    const blobs = matching.map(blobsOf)
    return {
      file,
      bytes: Buffer.concat(matching),
      blobs: { before: blobs[0]?.before ?? null, after: blobs.at(-1)?.after ?? null },
    }
  })
  if (next !== parts.length)
    throw new Error(
      `the diff has ${parts.length - next} sections of files that are not in its list`,
    )
  return sections
}

/** A path as git writes it in a diff (quote_c_style with core.quotePath on). */
export function quotePath(path: string): string {
  const bytes = [...Buffer.from(path)]
  const escaped = bytes
    .map(
      (byte) =>
        named[byte] ??
        (byte < 0x20 || byte >= 0x7f
          ? `\\${byte.toString(8).padStart(3, '0')}`
          : String.fromCharCode(byte)),
    )
    .join('')
  return escaped === path ? path : `"${escaped}"`
}

/** Cuts before every line that starts with `diff --git `. No line of content can: each has a sign before it. */
function cut(diff: Buffer): Buffer[] {
  if (diff.length === 0) return []
  const starts = [0]
  for (let at = diff.indexOf(`\n${start}`); at !== -1; at = diff.indexOf(`\n${start}`, at + 1))
    starts.push(at + 1)
  return starts.map((from, index) => diff.subarray(from, starts[index + 1] ?? diff.length))
}

const headOf = (section: Buffer): string =>
  section
    .subarray(0, section.indexOf('\n') + 1 || section.length)
    .toString('utf8')
    .trimEnd()

function blobsOf(section: Buffer): DiffSection['blobs'] {
  const [, before = '', after = ''] =
    /^index ([0-9a-f]+)\.\.([0-9a-f]+)/m.exec(section.subarray(0, 4096).toString('latin1')) ?? []
  const real = (id: string): string | null => (id === '' || /^0+$/.test(id) ? null : id)
  return { before: real(before), after: real(after) }
}
