// Characters that act on the reader instead of being read: controls, and what turns or hides text. A log, a diff or an
// answer from outside may hold them to look like something else; they are written out.
const acting =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu

/** Text from outside, with every acting character shown as ‹U+202E›. Tab, and line feed where lines are split, stay. */
export function visibleText(text: string): string {
  return text.replace(
    acting,
    (character) =>
      `‹U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}›`,
  )
}

/** How `visibleText` writes an acting character, to give it its own colour. */
export const writtenOut = /‹U\+[0-9A-F]{4,6}›/g
