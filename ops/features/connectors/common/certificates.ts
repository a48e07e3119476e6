import { readFileSync } from 'node:fs'
import { Problem } from '#shared/errors'

/**
 * Reads the certificates that a peer is trusted by.
 * @param field of host.json that names the file, for a message
 * @returns null: those of Node are trusted
 * @throws {Problem} `config_invalid`
 */
export function certificatesOf(path: string | null, field: string): string | null {
  if (path === null) return null
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Problem(
      'config_invalid',
      `${field} of host.json: ${path} cannot be read. No request was sent.`,
      { cause: error },
    )
  }
}
