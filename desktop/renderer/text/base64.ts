/** The bytes that a base64 text stands for. @throws {DOMException} when it is not base64 */
export function bytesOfBase64(base64: string): Uint8Array<ArrayBuffer> {
  const raw = atob(base64)
  const bytes = new Uint8Array(raw.length)
  for (let at = 0; at < raw.length; at += 1) bytes[at] = raw.charCodeAt(at)
  return bytes
}

/** The same as text. What is not UTF-8 becomes U+FFFD; a byte order mark stays. */
export const textOfBytes = (bytes: Uint8Array): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
