/** Numbers that are the same for the same seed (mulberry32). */
export interface Random {
  /** From 0 up to, not including, `end`. */
  below(end: number): number
  pick<T>(from: readonly [T, ...T[]]): T
  hex(length: number): string
}

export function seeded(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (end: number): number => Math.floor(next() * end)
  return {
    below,
    pick: (from) => from[below(from.length)] ?? from[0],
    hex: (length) => Array.from({ length }, () => below(16).toString(16)).join(''),
  }
}

/** The fixed seeds of every campaign. */
export const seeds = Array.from({ length: 20 }, (_, at) => 4711 + 97 * at)
