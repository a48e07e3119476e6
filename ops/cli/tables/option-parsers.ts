import { InvalidArgumentError } from 'commander'

/**
 * The parser of an option whose text must match a schema.
 * @param expected what the text must be; the error message ends with it
 */
export const matching =
  (schema: { safeParse(text: unknown): { success: boolean } }, expected: string) =>
  (text: string): string => {
    if (!schema.safeParse(text).success) throw new InvalidArgumentError(expected)
    return text
  }

/** @throws {InvalidArgumentError} for anything but a whole number from 1 to 10 */
export function repairCount(text: string): number {
  if (!/^(?:[1-9]|10)$/.test(text)) throw new InvalidArgumentError('a number from 1 to 10')
  return Number(text)
}
