/** Reads the body of an answer, never more than its caller takes. */
import { Problem } from '../errors.ts'

interface Limits {
  readonly maxBytes: number
  /** What the caller calls the other side. */
  readonly host: string
}

/**
 * The first `maxBytes` of an answer, and whether there was more.
 * @throws {Problem} `hostd_unreachable` when it broke off
 */
export async function readHead(
  answer: Response,
  { maxBytes, host }: Limits,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; truncated: boolean }> {
  const reader = answer.body?.getReader()
  const parts: Uint8Array[] = []
  let size = 0
  try {
    while (size <= maxBytes) {
      const part = (await reader?.read())?.value
      if (part === undefined) break
      parts.push(part.subarray(0, maxBytes - size))
      size += part.length
    }
    if (size > maxBytes) await reader?.cancel()
  } catch (error) {
    throw new Problem(
      'hostd_unreachable',
      `${host} closed the connection in the middle of an answer.`,
      {
        cause: error,
      },
    )
  }
  return { bytes: joined(parts), truncated: size > maxBytes }
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

/** A whole answer. @throws {Problem} `version_mismatch` when it is larger than `maxBytes`, `hostd_unreachable` */
export async function readText(answer: Response, limits: Limits): Promise<string> {
  const { bytes, truncated } = await readHead(answer, limits)
  if (truncated)
    throw new Problem(
      'version_mismatch',
      `${limits.host} answered with more than ${limits.maxBytes} bytes, which is the limit.`,
    )
  return new TextDecoder().decode(bytes)
}
