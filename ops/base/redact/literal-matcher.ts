/** Part of a text, from `start` up to but not including `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

export interface LiteralMatcher {
  /** Length of the longest literal. */
  readonly longest: number
  /** Where any literal occurs in `text`, the longest at each place, in order. */
  find(text: string): Range[]
}

/**
 * Searches many fixed strings at once, in time that hardly depends on how many there are (Wu and Manber 1994): the
 * last two characters of a window as long as the shortest literal say how far it may jump.
 */
export function literalMatcher(literals: Iterable<string>): LiteralMatcher {
  const all = [...new Set(literals)]
    .filter((each) => each.length >= 2)
    .toSorted((a, b) => b.length - a.length)
  const window = Math.min(...all.map((each) => each.length))
  const longest = all[0]?.length ?? 0
  if (all.length === 0) return { longest: 0, find: () => [] }

  // Two characters become one slot; strange characters may share a slot, which only costs a comparison.
  const slot = (first: number, second: number): number => ((first & 0xff) << 8) | (second & 0xff)
  const jump = new Uint8Array(65_536).fill(Math.min(255, window - 1))
  const ending = new Map<number, string[]>()
  for (const literal of all) {
    for (let at = 1; at < window; at += 1) {
      const place = slot(literal.charCodeAt(at - 1), literal.charCodeAt(at))
      jump[place] = Math.min(jump[place] ?? 0, window - 1 - at)
    }
    const last = slot(literal.charCodeAt(window - 2), literal.charCodeAt(window - 1))
    const same = ending.get(last)
    if (same === undefined) ending.set(last, [literal])
    else same.push(literal)
  }

  return {
    longest,
    find: (text) => {
      const found: Range[] = []
      for (let at = window - 1; at < text.length;) {
        const place = slot(text.charCodeAt(at - 1), text.charCodeAt(at))
        const distance = jump[place] ?? 0
        if (distance > 0) {
          at += distance
          continue
        }
        const start = at - window + 1
        const literal = ending.get(place)?.find((each) => text.startsWith(each, start))
        if (literal !== undefined) found.push({ start, end: start + literal.length })
        at += 1
      }
      return found
    },
  }
}
