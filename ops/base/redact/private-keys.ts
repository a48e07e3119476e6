const begin = /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/
const end = /-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/
/** A line of such a key: a long run of base64, wherever it stands in the line, or a line that is nothing else. */
const body =
  /[A-Za-z0-9+/]{40,}|^[\s>|+-]*[A-Za-z0-9+/]*={0,2}\s*$|^\s*(?:Proc-Type|DEK-Info|Version|Comment):/
/** Longest key that is followed, in lines: 16,384 bit RSA has about 200. */
const mostLines = 400

/** Whole keys in one text: also with `\n` written out, as in JSON. */
const whole =
  /-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----)[A-Za-z0-9+/=\s\\:,-]){0,40000}-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----/g

export const mayHoldKey = (text: string): boolean => text.includes('PRIVATE KEY')

/** The key itself, without the lines that say that it is one: those may stand in any text. */
export const pemBodies = (text: string): string[] =>
  text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('-----'))

/** Follows a private key over the lines of one stream, so that each line of it is known as such. */
export interface KeyFollower {
  readonly inside: boolean
  /** @returns the line, with what belongs to a key replaced */
  line(text: string): string
}

/** @param resumed the stream begins in the middle: its first lines may be of a key whose beginning is not there */
export function keyFollower(marker: string, resumed = false): KeyFollower {
  let left = resumed ? mostLines : 0
  return {
    get inside() {
      return left > 0
    },
    line: (text) => {
      const line = text.replace(whole, marker)
      if (left > 0) {
        const closing = end.exec(line)
        if (closing !== null) {
          left = 0
          return marker + line.slice(closing.index + closing[0].length)
        }
        left -= 1
        if (body.test(line)) return line.trim() === '' ? line : marker
        left = 0
      }
      const opening = begin.exec(line)
      if (opening === null) return line
      left = mostLines
      // What follows on the same line is the key's only when it looks like one.
      const rest = line.slice(opening.index + opening[0].length)
      return `${line.slice(0, opening.index)}${marker}${rest.replace(/[A-Za-z0-9+/\\=]{40,}/g, marker)}`
    },
  }
}
