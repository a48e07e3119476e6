/** Code of an error of the system or of Node (ENOENT, ERR_INVALID_URL …); null when it has none. */
export const codeOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null

/** Does the error have one of these codes? */
export const hasCode = (error: unknown, ...codes: readonly string[]): boolean =>
  codes.includes(codeOf(error) ?? '')

/** The same for the error or, when it has none, for what caused it: `fetch failed` hides its reason in the cause. */
export const codeWithin = (error: unknown): string | null =>
  codeOf(error) ?? (error instanceof Error ? codeWithin(error.cause) : null)

/** What was thrown, as text for a message. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error)
