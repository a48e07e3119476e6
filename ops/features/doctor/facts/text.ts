/** A duration for people. @param seconds not negative */
export function spanText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 2 * 86_400) return `${Math.round(seconds / 60)} min`
  return `${Math.round(seconds / 86_400)} days`
}
