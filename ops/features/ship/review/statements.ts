// The statements that a ship pushes beside its verdict, in files of its proof.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { VerdictDocument } from '#shared/signature'
import { pushedStatements, statementFile, type PushedStatement } from '#shared/statement'
import type { Resource, Statement } from '#shared/statement'
import { writeWhole } from '#ops/base/files/json-file'
import { sha256Of } from '#ops/base/sha256'
import { blobIdAt } from '#ops/platform/git/objects'
import type { GitOptions } from '#ops/platform/git/run-git'
import { projectConfigName } from '#ops/core/config/settings-files'
import { contradiction, reviewStatement, testsStatement } from '#ops/core/trust/commit-statements'
import { openEnvelope, signStatement } from '#ops/core/trust/envelope'
import { readStatement, readStatementRefs } from '#ops/core/trust/statement-link'
import { provenStart } from '#ops/features/ship/state/change'
import { frozenOf, keyOf, laptopKeys, type ShipFacts } from '#ops/features/ship/state/ship-facts'
import { reportName } from '#ops/features/ship/tests/tests-step'

type ShipStatements = NonNullable<ShipFacts['statements']>

const untouched = 'Nothing was pushed.'

/**
 * Makes the statements of an approved commit and writes them into the proof. Of a ship that was pushed already, origin
 * may have statements: they stay, because the ref of a statement is never replaced.
 */
export async function leaveStatements(
  facts: ShipFacts,
  verdict: VerdictDocument,
  git: GitOptions,
): Promise<ShipStatements> {
  const key = keyOf(facts)
  const pushed = await pushedBefore(facts, verdict, git)
  const statements = {
    review: pushed.review ?? signStatement(reviewStatement(verdict), key),
    tests: pushed.tests ?? signStatement(await statementOfTests(facts, verdict, git), key),
  }
  for (const kind of pushedStatements)
    writeWhole(join(facts.dir, statementFile(kind)), statements[kind])
  return statements
}

/** The statements by this laptop that origin has of the very commit. */
async function pushedBefore(
  facts: ShipFacts,
  verdict: VerdictDocument,
  git: GitOptions,
): Promise<Partial<ShipStatements>> {
  if (frozenOf(facts).earlier === null) return {}
  const { repo } = facts
  const refs = await readStatementRefs(repo, git)
  const found: Partial<Record<PushedStatement, string>> = {}
  for (const kind of pushedStatements) {
    const text = await readStatement({ repo, git }, { kind, commit: verdict.head_sha }, refs)
    if (text !== null && whyNotOurs(kind, text, { facts, verdict }) === null) found[kind] = text
  }
  return found
}

async function statementOfTests(
  facts: ShipFacts,
  verdict: VerdictDocument,
  git: GitOptions,
): Promise<Statement> {
  return testsStatement({
    commit: verdict,
    runId: facts.runId,
    configuration: await configurationOf(facts, git),
    suites: facts.tests.map((suite) => ({
      ...suite,
      report_sha256: sha256Of(readFileSync(join(facts.dir, reportName(suite.name)))),
    })),
  })
}

/** The files that decide which suites run: that of the commit up to which everything is proven, and that of the change. */
async function configurationOf(facts: ShipFacts, git: GitOptions): Promise<Resource[]> {
  const frozen = frozenOf(facts)
  const blobs = new Set<string>()
  for (const commit of [provenStart(frozen), frozen.head]) {
    const blob = await blobIdAt(facts.repo, { commit, path: projectConfigName }, git)
    if (blob !== null) blobs.add(blob)
  }
  return [...blobs].map((gitBlob) => ({ name: projectConfigName, digest: { gitBlob } }))
}

/**
 * The statements as they lie in the proof, to the byte: they are what will be pushed.
 * @throws {Problem} `statement_mismatch` when one is missing, was changed, or contradicts the verdict
 */
export function readStatements(facts: ShipFacts, verdict: VerdictDocument): ShipStatements {
  const { statements } = facts
  for (const kind of pushedStatements) {
    const name = statementFile(kind)
    const text = readStatementText(facts, kind)
    if (text !== statements?.[kind]) throw mismatch(`${name} is not what this ship wrote`)
    const why = whyNotOurs(kind, text, { facts, verdict })
    if (why !== null) throw mismatch(`${name}: ${why}`)
  }
  if (statements === null) throw mismatch('this ship made none')
  return statements
}

/** @throws {Problem} `statement_mismatch` */
export function readStatementText({ dir }: ShipFacts, kind: PushedStatement): string {
  try {
    return readFileSync(join(dir, statementFile(kind)), 'utf8')
  } catch (error) {
    throw mismatch(`${statementFile(kind)} cannot be read any more`, error)
  }
}

/** @returns null when this laptop signed it, and it says what the verdict says */
function whyNotOurs(
  kind: PushedStatement,
  text: string,
  { facts, verdict }: { readonly facts: ShipFacts; readonly verdict: VerdictDocument },
): string | null {
  const opened = openEnvelope(text, laptopKeys(facts))
  if (opened.state === 'invalid') return opened.why
  if (opened.state !== 'verified') return 'it is not signed by the key of this laptop'
  return contradiction(kind, opened.statement, verdict)
}

const mismatch = (why: string, cause?: unknown): Problem =>
  new Problem(
    'statement_mismatch',
    `The statements of this ship do not belong to its verdict: ${why}. ${untouched}`,
    { cause },
  )
