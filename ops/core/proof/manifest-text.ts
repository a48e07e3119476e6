import { hasCode } from '#shared/system-error'
import { constants, closeSync, fstatSync, openSync, readFileSync } from 'node:fs'
import canonicalize from 'canonicalize'

/** The one spelling of a signed document as a file: keys sorted, two spaces, one line feed at the end. */
export function documentText(document: object): string {
  return `${JSON.stringify(JSON.parse(canonicalize(document) ?? 'null'), null, 2)}\n`
}

const maxDocumentBytes = 8 * 1024 * 1024

/**
 * Reads a small document of a bundle without following a link.
 * @returns null when there is none
 * @throws {Error} saying why it cannot be read, also when it is not a regular file or not UTF-8
 */
export function readDocument(path: string): string | null {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null
    throw error
  }
  try {
    const info = fstatSync(file)
    if (!info.isFile()) throw new Error('it is not a regular file')
    if (info.size > maxDocumentBytes) throw new Error(`it has ${info.size} bytes`)
    // Two byte sequences must never read as the same text.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(file))
  } finally {
    closeSync(file)
  }
}
