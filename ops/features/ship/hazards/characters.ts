// Characters that a reader cannot see, or that show source in another order than it runs.
import type { DiffSection } from './diff-sections.ts'

/**
 * Bidirectional overrides, embeddings and isolates: they show source in another order than it runs ("Trojan Source",
 * CVE-2021-42574).
 */
const bidi = /[\u202A-\u202E\u2066-\u2069]/u
/**
 * Characters that cannot be seen: those that Unicode lets a program leave out when it shows a text (zero width,
 * fillers, tags, variation selectors, in which whole programs were hidden), controls but tab, line end and form feed,
 * annotation marks, line and paragraph separators, the empty Braille cell, and private characters, which have a
 * meaning only with the right font.
 */
// oxlint-disable-next-line no-control-regex -- control characters are searched for
const unseen =
  /[\p{Default_Ignorable_Code_Point}\p{Co}\u0000-\u0008\u000B\u000E-\u001F\u007F-\u009F\u2028\u2029\u2800\uFFF9-\uFFFB]/gu
/** Emoji hold some of them. They are a finite list, so nothing can be written in them. */
const emoji = /\p{RGI_Emoji}/gv
const withoutEmoji = (text: string): string => text.replace(emoji, '\u25A1')
/** A longer line hides its end from a reader, in characters. */
const longLine = 5000
/** Most findings that are named per file. */
const maxPlaces = 10

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
  /** First position of a character that reverses the reading order. */
  readonly reversed: string | null
  /** For the reviewer, one line each. */
  readonly flags: readonly string[]
}

/** What the added lines of a text file hold that a reader cannot see. */
export function inspectCharacters({ file, bytes }: DiffSection): CharacterFindings {
  if (file.binary) return { reversed: null, flags: [] }
  const text = bytes.toString('utf8')
  const flags: string[] = []
  if (text.includes('\uFFFD') && !Buffer.from(text).equals(bytes))
    flags.push(`${file.path}: not valid UTF-8`)
  let reversed: string | null = null
  for (const { number, text: line } of addedLines(text)) {
    const place = `${file.path}:${number}`
    const sign = bidi.exec(line)
    if (sign) reversed ??= `${place} ${codePoint(sign[0])}`
    const found = unseenIn(line)
    if (found.size > 0) flags.push(`${place}: invisible characters: ${[...found].join(', ')}`)
    if (line.length > longLine) flags.push(`${place}: a line of ${line.length} characters`)
  }
  const more = flags.length - maxPlaces
  return {
    reversed,
    flags:
      more > 0
        ? [...flags.slice(0, maxPlaces), `${file.path}: ${more} more places like these`]
        : flags,
  }
}

/** Code points of the unseen characters of one line. */
function unseenIn(line: string): Set<string> {
  const isPlain = /^[\t\x20-\x7E]*$/.test(line)
  const found = [...(isPlain ? '' : withoutEmoji(line)).matchAll(unseen)].map(([sign]) =>
    codePoint(sign),
  )
  // A carriage return inside a line makes a terminal overwrite the text before it with the text after it.
  return new Set(line.includes('\r') ? [...found, 'U+000D'] : found)
}
