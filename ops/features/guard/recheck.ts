import { setTimeout as delay } from 'node:timers/promises'
import type { GuardHost, Probe, Remediation } from './remediation.ts'

/** A remediation is due only if this many probes in a row say so; the pause between two, milliseconds. */
const probes = 3
const pauseMs = 2_000

/**
 * Probes until nothing is due, or something was due at every probe. One slow answer is not a reason for a restart.
 * @throws {Problem} when a probe fails
 */
export async function probeRepeatedly(
  remediation: Remediation,
  host: GuardHost,
  signal?: AbortSignal,
): Promise<Probe[]> {
  let seen = await remediation.probe(host, signal)
  const dueAt = (found: readonly Probe[]): string[] =>
    found.flatMap(({ state, target }) => (state === 'due' ? [target] : []))
  let always = dueAt(seen)
  for (let done = 1; done < probes && seen.some(({ state }) => state === 'due'); done += 1) {
    await delay(pauseMs, undefined, signal ? { signal } : {})
    seen = await remediation.probe(host, signal)
    const due = dueAt(seen)
    always = always.filter((target) => due.includes(target))
  }
  return seen.map((each) =>
    each.state === 'due' && !always.includes(each.target)
      ? {
          ...each,
          state: 'fail',
          detail: `${each.detail}; it was healthy at an earlier probe of this pass, so the next pass decides`,
        }
      : each,
  )
}
