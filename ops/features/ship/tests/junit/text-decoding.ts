// Decodes a report as it declares itself: by its byte order mark, else by its XML declaration, else as UTF-8.
import { StringDecoder } from 'node:string_decoder'
import { Unreadable } from './unreadable.ts'

/** Bytes that must be there (or the end of the file) before the encoding is known. */
export const encodingBytes = 1024

export interface Decoding {
  push(bytes: Uint8Array): string
  end(): string
}

/**
 * Bytes that are not of the encoding become U+FFFD: the output of a test may hold any byte.
 *
 * @param start first bytes of the report
 * @throws {Unreadable} for an encoding that is unknown or not the one it is written in
 */
export function decodingOf(start: Uint8Array): Decoding {
  const marked = byMark(start)
  if (marked !== undefined) return textDecoding(marked)
  const head = Buffer.from(start.subarray(0, encodingBytes)).toString('latin1')
  const declared = /^\s*<\?xml[^>]*?\sencoding\s*=\s*["']([^"'>]*)["']/.exec(head)?.[1] ?? 'utf-8'
  const name = declared.toLowerCase()
  if (/^(iso-?8859-?1|latin-?1|l1)$/.test(name)) return stringDecoding()
  if (/^(utf|ucs)-?_?(16|32|2|4)/.test(name))
    throw new Unreadable(`declares the encoding ${shown(declared)}, but is not written in it`, 1)
  return textDecoding(declared)
}

const byMark = (start: Uint8Array): string | undefined => {
  const [a, b, c, d] = start
  if (a === 0xff && b === 0xfe && c === 0 && d === 0)
    throw new Unreadable('is written in UTF-32, which no test tool writes', 1)
  if (a === 0xff && b === 0xfe) return 'utf-16le'
  if (a === 0xfe && b === 0xff) return 'utf-16be'
  if (a === 0xef && b === 0xbb && c === 0xbf) return 'utf-8'
  // Without a mark, the first character tells: it is `<`.
  if (a === 0x3c && b === 0) return 'utf-16le'
  if (a === 0 && b === 0x3c) return 'utf-16be'
  return undefined
}

function textDecoding(encoding: string): Decoding {
  let decoder: InstanceType<typeof TextDecoder>
  try {
    decoder = new TextDecoder(encoding)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Unreadable(`declares the encoding ${shown(encoding)}, which HQ cannot read`, 1)
  }
  return {
    push: (bytes) => decoder.decode(bytes, { stream: true }),
    end: () => decoder.decode(),
  }
}

/** `TextDecoder` takes ISO-8859-1 for Windows-1252, which differs in 32 characters. */
function stringDecoding(): Decoding {
  const decoder = new StringDecoder('latin1')
  return { push: (bytes) => decoder.write(bytes), end: () => decoder.end() }
}

const shown = (encoding: string): string => JSON.stringify(encoding.slice(0, 40))
