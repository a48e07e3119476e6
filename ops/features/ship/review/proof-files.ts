// The files that a review leaves in the proof of a ship.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { statementFile } from '#shared/statement'

export const requestFiles = {
  review_prompt: 'review_prompt.txt',
  review_events: 'review.jsonl',
  review_answer: 'review_answer.json',
} as const

/** Says under which conditions a review was made. */
export const bindingsFile = 'review_bindings.json'

/** In the proof of a change that took several requests: a folder for each. */
export const packetsFolder = 'packets'

export const proofFiles = {
  diff: 'diff.patch',
  /** What was shown beside the change. */
  unproven: 'unproven.patch',
  ...requestFiles,
  review_bindings: bindingsFile,
  verdict: 'verdict.json',
  review_statement: statementFile('review'),
  tests_statement: statementFile('tests'),
} as const

export type ProofFile = keyof typeof proofFiles

/** The files of a review that lie in `dir`, as the result document names them: name to path relative to `dir`. */
export const reviewArtifacts = (dir: string): Record<string, string> =>
  Object.fromEntries(Object.entries(proofFiles).filter(([, file]) => existsSync(join(dir, file))))
