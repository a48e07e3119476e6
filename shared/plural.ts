// Words that agree with a number.

/** @returns `one` for 1, else `many` */
export const oneOrMany = (count: number, one: string, many: string): string =>
  count === 1 ? one : many

/** The number and its noun: `1 file`, `3 files`. @param many default: `one` with an s */
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${oneOrMany(count, one, many)}`
