import type { DiffSection } from './diff-sections.ts'

/** Bidirectional overrides, embeddings and isolates: they show source in another order than it runs ("Trojan Source", CVE-2021-42574). */
const bidi = /[\u202A-\u202E\u2066-\u2069]/u
/**
 * Characters that cannot be seen: what Unicode lets a program leave out when it shows a text (zero width, fillers, tags,
 * variation selectors, in which whole programs were hidden), controls but tab, line end and form feed, what marks annotations, line and
 * paragraph separators, the empty Braille cell, and private characters, which mean something only to who knows the font.
 */
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const unseen =
  /[\p{Default_Ignorable_Code_Point}\p{Co}\u0000-\u0008\u000B\u000E-\u001F\u007F-\u009F\u2028\u2029\u2800\uFFF9-\uFFFB]/gu
/** Emoji hold some of them. These are a finite list, so nothing can be written in them. */
const emoji = /\p{RGI_Emoji}/gv
const withoutEmoji = (text: string): string => text.replace(emoji, '\u25A1')
/** A longer line hides its end from whoever reads it, in characters. */
const longLine = 5000
/** Most places that are named of one file. */
const most = 10

export const codePoint = (character: string): string =>
  `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
export const hasBidi = (text: string): boolean => bidi.test(text)
export const hasUnseen = (text: string): boolean =>
  withoutEmoji(text).search(unseen) !== -1 || /[\t\n\r\f]/.test(text)

/** Added lines of one file's diff with their line numbers in the new file. */
export function* addedLines(text: string): Generator<{ number: number; text: string }> {
  let number = 0
  let inHunk = false
  for (const line of text.split('\n')) {
    const hunk = /^@@ -\d+(?:,\d+)? \+(\d+)/.exec(line)
    if (hunk) {
      inHunk = true
      number = Number(hunk[1])
    } else if (line.startsWith('diff --git ')) inHunk = false
    else if (inHunk && line.startsWith('+'))
      yield { number: number++, text: line.slice(1).replace(/\r$/, '') }
    else if (inHunk && line.startsWith(' ')) number += 1
  }
}

export interface CharacterFindings {
  /** First place of a character that turns the order of reading round. */
  readonly turned: string | null
  /** What the reviewer is told, a place each. */
  readonly flags: readonly string[]
}

/** What the added lines of a text file hold that a reader cannot see. */
export function lookAtCharacters({ file, bytes }: DiffSection): CharacterFindings {
  if (file.binary) return { turned: null, flags: [] }
  const text = bytes.toString('utf8')
  const flags: string[] = []
  if (text.includes('\uFFFD') && !Buffer.from(text).equals(bytes))
    flags.push(`${file.path}: not valid UTF-8`)
  let turned: string | null = null
  for (const { number, text: line } of addedLines(text)) {
    const sign = bidi.exec(line)
    if (sign) turned ??= `${file.path}:${number} ${codePoint(sign[0])}`
    // A carriage return inside a line makes a terminal show what comes after it in its place.
    const found = new Set(
      [...(/^[\t\x20-\x7E]*$/.test(line) ? '' : withoutEmoji(line)).matchAll(unseen)]
        .map(([sign]) => codePoint(sign))
        .concat(line.includes('\r') ? ['U+000D'] : []),
    )
    if (found.size > 0)
      flags.push(`${file.path}:${number}: characters that cannot be seen: ${[...found].join(', ')}`)
    if (line.length > longLine)
      flags.push(`${file.path}:${number}: a line of ${line.length} characters`)
  }
  return {
    turned,
    flags:
      flags.length > most
        ? [...flags.slice(0, most), `${file.path}: ${flags.length - most} more places like these`]
        : flags,
  }
}
