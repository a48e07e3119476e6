import { expect, it } from 'vitest'
import { oneOrMany, plural } from '#shared/plural'

it('writes a number with the noun and the verb that agree with it', () => {
  expect([0, 1, 2].map((count) => plural(count, 'file'))).toEqual(['0 files', '1 file', '2 files'])
  expect(plural(2, 'verdict reaches', 'verdicts reach')).toBe('2 verdicts reach')
  expect([1, 0].map((count) => oneOrMany(count, 'has', 'have'))).toEqual(['has', 'have'])
})
