import type { DoctorContext } from '#ops/core/checks/context'

const known = new WeakMap<DoctorContext, Map<string, Promise<unknown>>>()

/**
 * Reads a fact that several checks of one run share, once for all of them. Each run has its own context object.
 * @param key names the fact
 */
export function oncePerRun<T>(
  context: DoctorContext,
  key: string,
  read: () => Promise<T>,
): Promise<T> {
  const facts = known.get(context) ?? new Map<string, Promise<unknown>>()
  known.set(context, facts)
  const fact = (facts.get(key) as Promise<T> | undefined) ?? read()
  facts.set(key, fact)
  return fact
}
