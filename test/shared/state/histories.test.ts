import { expect, it } from 'vitest'
import { wrongIn } from '../../support/wrong-states.ts'

it('no two outputs contradict each other, and DONE is said exactly when it is so', () => {
  const seeds = Array.from({ length: 200 }, (_, at) => at + 1)
  expect(wrongIn(seeds, 30)).toEqual([])
})
