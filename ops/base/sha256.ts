import { createHash } from 'node:crypto'

/** SHA-256 of a text (as UTF-8) or of bytes: 64 hexadecimal digits, lower case. */
export const sha256Of = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex')
