import { describe, expect, it } from 'vitest'
import { scriptedAnswer } from '#ops/cli/demo/scripted-review'
import { judgeAnswer, parseAnswer } from '#ops/features/ship/review/judge-answer'
import type { ReviewBindings } from '#ops/features/ship/review/review-prompt'
import { Problem } from '#shared/errors'
import { hostileAnswers } from '../../../support/hostile-answers.ts'
import { seeded, seeds, type Random } from '../../../support/seeded.ts'

const question = (random: Random): ReviewBindings => ({
  base_sha: random.hex(40),
  head_sha: random.hex(40),
  tree_sha: random.hex(40),
  diff_sha256: random.hex(64),
  nonce: random.hex(64),
  files: Array.from(
    { length: 1 + random.below(5) },
    (_, at) => `${random.pick(['src/', 'lib/a/', ''])}${at}-${random.hex(6)}.ts`,
  ),
})

/** Class of the refusal, or `approved`. */
function judged(text: string, bindings: ReviewBindings): string {
  try {
    judgeAnswer(parseAnswer(text), bindings)
    return 'approved'
  } catch (error) {
    if (error instanceof Problem) return error.errorClass
    throw error
  }
}

describe(`judging an answer, with ${seeds.length} seeds`, () => {
  it.each(hostileAnswers.map((each) => [each.name, each] as const))(
    'refuses by its class: %s',
    (_, { expected, make }) => {
      for (const seed of seeds) {
        const random = seeded(seed)
        const bindings = question(random)
        expect({ seed, judged: judged(make(bindings, random), bindings) }).toEqual({
          seed,
          judged: expected,
        })
      }
    },
  )

  it('accepts the plain approval of the same requests', () => {
    for (const seed of seeds) {
      const bindings = question(seeded(seed))
      expect(judged(JSON.stringify(scriptedAnswer(bindings)), bindings)).toBe('approved')
    }
  })
})
