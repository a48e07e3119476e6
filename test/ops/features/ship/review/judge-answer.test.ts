import { describe, it } from 'vitest'
import { scriptedAnswer } from '#ops/cli/demo/scripted-review'
import { judgeAnswer, parseAnswer } from '#ops/features/ship/index'
import { expectRefusal, problemFrom } from '../../../../support/step-context.ts'

const bindings = {
  base_sha: 'a'.repeat(40),
  head_sha: 'b'.repeat(40),
  tree_sha: 'c'.repeat(40),
  diff_sha256: 'd'.repeat(64),
  nonce: 'e'.repeat(64),
  files: ['app.mjs', 'new.txt'],
}
const blocking = {
  severity: 'blocking',
  file: 'app.mjs',
  line: 1,
  title: 'Adds the wrong way round',
  body: 'b + a is not a + b.',
}
const answer = (change: object): string =>
  JSON.stringify({ ...scriptedAnswer(bindings), ...change })
const refused = (text: string) => problemFrom(() => judgeAnswer(parseAnswer(text), bindings))

/** One case of each class goes through the whole command line in ship-stops-at-review.test.ts. */
describe('judging an answer', () => {
  it.each([
    ['head_sha', 40],
    ['tree_sha', 40],
    ['base_sha', 40],
    ['diff_sha256', 64],
  ] as const)('refuses one for another commit, tree, base or diff: %s', async (name, length) => {
    expectRefusal(await refused(answer({ [name]: 'f'.repeat(length) })), {
      error_class: 'review_mismatch',
      fix: 'ship_again',
      exit: 2,
      detail: name,
    })
  })

  it('refuses an approval with a blocking finding', async () => {
    expectRefusal(await refused(answer({ findings: [blocking] })), {
      error_class: 'review_blocked',
      fix: 'fix_findings_and_ship',
      exit: 2,
      detail: 'Adds the wrong way round',
    })
  })

  it.each([
    ['an empty answer', '', 'empty'],
    ['one with a field that the schema lacks', answer({ confidence: 1 }), 'confidence'],
  ])('refuses %s', async (_, text, detail) => {
    expectRefusal(await refused(text), {
      error_class: 'review_invalid',
      fix: 'ship_again',
      exit: 2,
      detail,
    })
  })
})
