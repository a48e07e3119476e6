// The statements about a commit that a ship makes: what reviewed it, and what its tests said.
import { isDeepStrictEqual } from 'node:util'
import type { ShipResult } from '#shared/result'
import type { VerdictDocument } from '#shared/signature'
import { predicateTypes, statementType } from '#shared/statement'
import type { PushedStatement, Resource, Statement } from '#shared/statement'

type TestCounts = ShipResult['tests'][number]

export interface SubjectCommit {
  /** Name of the project. */
  readonly repository: string
  readonly head_sha: string
  readonly tree_sha: string
}

/** Commit and tree are two subjects: one set of digests is about one thing. */
export const commitSubject = ({
  repository,
  head_sha,
  tree_sha,
}: SubjectCommit): Statement['subject'] => [
  { name: repository, digest: { gitCommit: head_sha } },
  { name: repository, digest: { gitTree: tree_sha } },
]

/** The verdict as a statement: its predicate is everything the verdict says. */
export const reviewStatement = (verdict: VerdictDocument): Statement => ({
  _type: statementType,
  subject: commitSubject(verdict),
  predicateType: predicateTypes.review,
  predicate: contentOf(verdict),
})

function contentOf(verdict: VerdictDocument): Record<string, unknown> {
  const { signature: _, ...content } = verdict
  return content
}

/** An extension of the test-result predicate; in-toto names such a field by a URI. */
const suitesField = 'urn:openclaw-hq:suites:v1'

export interface TestedCommit {
  readonly commit: SubjectCommit
  /** The ship that ran the tests. */
  readonly runId: string
  /** The files that say which tests run. */
  readonly configuration: readonly Resource[]
  /** Each suite with the SHA-256 of its report. */
  readonly suites: readonly (TestCounts & { readonly report_sha256: string })[]
}

/** The tests of a commit, all of which passed. A suite with a test that was skipped, flaky or to do is a warning. */
export function testsStatement(tested: TestedCommit): Statement {
  const { commit, runId, configuration, suites } = tested
  const names = (wanted: boolean): string[] =>
    suites.filter((suite) => hasWarning(suite) === wanted).map(({ name }) => name)
  return {
    _type: statementType,
    subject: commitSubject(commit),
    predicateType: predicateTypes.tests,
    predicate: {
      result: suites.some(hasWarning) ? 'WARNED' : 'PASSED',
      configuration: [...configuration],
      passedTests: names(false),
      warnedTests: names(true),
      failedTests: [],
      [suitesField]: { run_id: runId, suites: [...suites] },
    },
  }
}

const hasWarning = ({ skipped, flaky = 0, todo = 0 }: TestCounts): boolean =>
  skipped + flaky + todo > 0

/** What a statement of a commit says otherwise than the verdict of that commit; null: they agree. */
export function contradiction(
  kind: PushedStatement,
  { predicateType, predicate, subject }: Statement,
  verdict: VerdictDocument,
): string | null {
  if (predicateType !== predicateTypes[kind]) return `it is a statement of type ${predicateType}`
  if (!isDeepStrictEqual(subject, commitSubject(verdict)))
    return 'it is about another commit, tree or repository'
  if (kind === 'review')
    return isDeepStrictEqual(predicate, contentOf(verdict))
      ? null
      : 'it says something else than the verdict'
  const passed = predicate['result'] === 'PASSED' || predicate['result'] === 'WARNED'
  return passed && isDeepStrictEqual(predicate['failedTests'], []) ? null : 'its tests did not pass'
}
