/**
 * Was it started so recently that it may still be on its way up? A start in the future (the clock went back) is none.
 * @param seconds what it is given to start
 */
export function stillStarting(startedAt: string, seconds: number): boolean {
  const age = Date.now() - Date.parse(startedAt)
  return age >= 0 && age < seconds * 1000
}
