import { setTimeout as delay } from 'node:timers/promises'
import type { GuardHost, Remediation, Seen } from './remediation.ts'

/** Something is due only when it is at each of these looks, and the pause between two, milliseconds. */
const looks = 3
const pauseMs = 2_000

/**
 * Looks until nothing is due any more, or it was due at every look: one slow answer is no reason to restart anything.
 * @throws {Problem} when it cannot be seen
 */
export async function lookAgain(
  remediation: Remediation,
  host: GuardHost,
  signal?: AbortSignal,
): Promise<Seen[]> {
  let seen = await remediation.look(host, signal)
  const dueAt = (found: readonly Seen[]): string[] =>
    found.flatMap(({ state, target }) => (state === 'due' ? [target] : []))
  let always = dueAt(seen)
  for (let done = 1; done < looks && seen.some(({ state }) => state === 'due'); done += 1) {
    await delay(pauseMs, undefined, signal ? { signal } : {})
    seen = await remediation.look(host, signal)
    const due = dueAt(seen)
    always = always.filter((target) => due.includes(target))
  }
  return seen.map((each) =>
    each.state === 'due' && !always.includes(each.target)
      ? {
          ...each,
          state: 'fail',
          detail: `${each.detail}; it was well at an earlier look of this pass, so it is left to the next`,
        }
      : each,
  )
}
