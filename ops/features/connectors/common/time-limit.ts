import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '#shared/errors'

interface TimeLimit {
  readonly title: string
  readonly seconds: number
  readonly outer: AbortSignal
}

/**
 * Ends at once when the limit is reached or `outer` fires, whatever the work does then.
 * @throws {Problem} `connector_unreachable` when it takes longer, `cancelled` when `outer` fires
 */
export async function withTimeLimit<T>(
  work: (limit: AbortSignal) => Promise<T>,
  { title, seconds, outer }: TimeLimit,
): Promise<T> {
  const ended = new AbortController()
  const late = async (): Promise<never> => {
    try {
      await delay(seconds * 1000, undefined, { signal: AbortSignal.any([outer, ended.signal]) })
    } catch (error) {
      if (!outer.aborted) throw error // the work has ended first, and nothing waits for this
      throw new Problem('cancelled', 'The run was cancelled while it checked the connectors.', {
        cause: error,
      })
    }
    throw new Problem(
      'connector_unreachable',
      `${title} gave no answer within ${seconds} s. It is not known whether its secret is valid.`,
    )
  }
  const limit = new AbortController()
  const limited = late()
  limited.catch((error: unknown) => limit.abort(error)) // the race below reports it
  try {
    return await Promise.race([work(limit.signal), limited])
  } finally {
    ended.abort()
  }
}
