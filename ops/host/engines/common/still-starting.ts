/**
 * True when a service was started so recently that it may still be starting. A start in the future does not count: the
 * clock went back.
 * @param seconds time it has to start
 */
export function stillStarting(startedAt: string, seconds: number): boolean {
  const age = Date.now() - Date.parse(startedAt)
  return age >= 0 && age < seconds * 1000
}
