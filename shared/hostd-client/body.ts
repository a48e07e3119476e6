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
): Promise<{ text: string; truncated: boolean }> {
  const decoder = new TextDecoder()
  const reader = answer.body?.getReader()
  let text = ''
  let size = 0
  try {
    while (size <= maxBytes) {
      const part = (await reader?.read())?.value
      if (part === undefined) break
      text += decoder.decode(part.subarray(0, maxBytes - size), { stream: true })
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
  return { text: text + decoder.decode(), truncated: size > maxBytes }
}

/** A whole answer. @throws {Problem} `version_mismatch` when it is larger than `maxBytes`, `hostd_unreachable` */
export async function readText(answer: Response, limits: Limits): Promise<string> {
  const { text, truncated } = await readHead(answer, limits)
  if (truncated)
    throw new Problem(
      'version_mismatch',
      `${limits.host} answered with more than ${limits.maxBytes} bytes, which is the limit.`,
    )
  return text
}
