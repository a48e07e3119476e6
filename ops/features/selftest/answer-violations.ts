import { operatorSettings } from '#shared/config'
import type { ReviewAnswer } from '#shared/verdict'
import { chosenProvider, judgeAnswer, parseAnswer } from '#ops/features/ship/index'
import { attempting, once, type ViolationGroup, type Violation } from './violation.ts'

const bindings = {
  base_sha: 'a'.repeat(40),
  head_sha: 'b'.repeat(40),
  tree_sha: 'c'.repeat(40),
  diff_sha256: 'd'.repeat(64),
  nonce: 'e'.repeat(64),
  files: ['app.txt', 'server.txt'],
}
const { files, ...echoed } = bindings
const approval: ReviewAnswer = {
  verdict: 'APPROVED',
  ...echoed,
  files_reviewed: [...files],
  findings: [],
  summary: 'Fine.',
}
const text = (change: Partial<ReviewAnswer> = {}): string =>
  JSON.stringify({ ...approval, ...change })
const judged = (answer: string) => attempting(() => judgeAnswer(parseAnswer(answer), bindings))
const blocking = {
  severity: 'blocking',
  file: 'app.txt',
  line: 1,
  title: 'Planted',
  body: '',
} as const
const provider = (chosen: string) =>
  attempting(() => chosenProvider(operatorSettings.parse({ review: { provider: chosen } })).id)

const cases: readonly [name: string, what: string, expected: string, answer: string][] = [
  [
    'other_nonce',
    'an approval with another nonce',
    'review_mismatch',
    text({ nonce: 'f'.repeat(64) }),
  ],
  [
    'other_head',
    'an approval of another commit',
    'review_mismatch',
    text({ head_sha: 'f'.repeat(40) }),
  ],
  [
    'other_tree',
    'an approval of another tree',
    'review_mismatch',
    text({ tree_sha: 'f'.repeat(40) }),
  ],
  [
    'other_base',
    'an approval from another base',
    'review_mismatch',
    text({ base_sha: 'f'.repeat(40) }),
  ],
  [
    'other_diff',
    'an approval of another diff',
    'review_mismatch',
    text({ diff_sha256: 'f'.repeat(64) }),
  ],
  [
    'file_missing',
    'an approval that did not review every file',
    'review_incomplete',
    text({ files_reviewed: ['app.txt'] }),
  ],
  [
    'changes_requested',
    'an answer that asks for changes',
    'review_blocked',
    text({ verdict: 'CHANGES_REQUESTED' }),
  ],
  [
    'blocking_finding',
    'an approval with a blocking finding',
    'review_blocked',
    text({ findings: [blocking] }),
  ],
  ['no_answer', 'an empty answer', 'review_invalid', ''],
  [
    'off_schema',
    'an approval with an unknown field',
    'review_invalid',
    JSON.stringify({ ...approval, approved: true }),
  ],
  [
    'two_verdicts',
    'an answer with two verdicts',
    'review_invalid',
    text().replace('{', '{"verdict":"CHANGES_REQUESTED",'),
  ],
]

/** Answers that are not a valid approval, and a reviewer that is not accepted. */
export const answerViolations: ViolationGroup = {
  name: 'review_answer',
  guard: 'The judge of review answers',
  prepare: () => {
    const control = once(judged(text()))
    return Promise.resolve({
      violations: [
        ...cases.map(([name, what, expected, answer]): Violation => ({
          name,
          what: what,
          expected,
          control,
          attempt: judged(answer),
        })),
        {
          name: 'unknown_provider',
          what: 'a provider that is not in the operator settings',
          expected: 'review_provider_refused',
          control: provider('openai'),
          attempt: provider('anybody'),
        },
      ],
    })
  },
}
