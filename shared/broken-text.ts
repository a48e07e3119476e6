// Text with half of a character: JSON can carry it, file names, addresses and UTF-8 cannot.

/** @returns where a value holds such a text (`path`, `files.0.name`, or `the value`); null when it holds none */
export function brokenTextIn(value: unknown, at: readonly string[] = []): string | null {
  if (typeof value === 'string') return value.isWellFormed() ? null : at.join('.') || 'the value'
  if (typeof value !== 'object' || value === null) return null
  for (const [name, inner] of Object.entries(value)) {
    if (!name.isWellFormed()) return [...at, 'the name of a field'].join('.')
    const found = brokenTextIn(inner, [...at, name])
    if (found !== null) return found
  }
  return null
}
