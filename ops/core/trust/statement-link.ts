// The statements that lie beside the verdict of a commit must say the same as the verdict.
import {
  pushedStatements,
  statementRef,
  statementRefs,
  type PushedStatement,
} from '#shared/statement'
import type { ReviewEvidence } from '#shared/deployed'
import type { VerdictDocument } from '#shared/signature'
import { messageOf } from '#shared/system-error'
import { sha256Of } from '#ops/base/sha256'
import { readBlob } from '#ops/platform/git/objects'
import { listRefs } from '#ops/platform/git/refs'
import type { GitOptions } from '#ops/platform/git/run-git'
import { contradiction } from './commit-statements.ts'
import { openEnvelope } from './envelope.ts'
import type { TrustedKeys } from './trusted-keys.ts'

/** An envelope of the largest verdict that is read: base64 is a third longer. */
const keepBytes = 12 * 1024 * 1024

/** Refs of all statements of a repository, and what each names. */
export type StatementRefs = ReadonlyMap<string, string>
export const readStatementRefs = (repo: string, git: GitOptions = {}): Promise<StatementRefs> =>
  listRefs(repo, statementRefs, git)

/** The envelope of a statement. @returns null when the commit has none; @throws {Problem} `internal_error` */
export async function readStatement(
  { repo, git = {} }: { readonly repo: string; readonly git?: GitOptions },
  { kind, commit }: { readonly kind: PushedStatement; readonly commit: string },
  refs: StatementRefs,
): Promise<string | null> {
  const id = refs.get(statementRef(kind, commit))
  return id === undefined ? null : await readBlob(repo, id, { ...git, keepBytes })
}

export interface StatementRefusal {
  readonly reason: string
  readonly errorClass: 'statement_mismatch' | 'verdict_signature_invalid'
}

/** SHA-256 of each envelope beside a verdict; null: there is none. */
type StatementDigests = ReviewEvidence['statements']

/**
 * A commit without statements is good: an older HQ shipped it. A statement that is there must be signed by the key of
 * the verdict, and must not say anything else. The verdict was checked before.
 */
export async function checkStatements(
  verdict: VerdictDocument,
  trust: { readonly repo: string; readonly keys: TrustedKeys; readonly git?: GitOptions },
  refs: StatementRefs,
): Promise<StatementRefusal | { readonly digests: StatementDigests }> {
  const digests: StatementDigests = { review: null, tests: null }
  for (const kind of pushedStatements) {
    if (!refs.has(statementRef(kind, verdict.head_sha))) continue
    let text: string | null
    try {
      text = await readStatement(trust, { kind, commit: verdict.head_sha }, refs)
    } catch (error) {
      return mismatch(kind, `it cannot be read: ${messageOf(error)}`)
    }
    if (text === null) return mismatch(kind, 'it is not a file')
    const wrong = judge(kind, text, { verdict, ...trust })
    if (wrong !== null) return wrong
    digests[kind] = sha256Of(text)
  }
  return { digests }
}

function judge(
  kind: PushedStatement,
  text: string,
  { verdict, keys }: { readonly verdict: VerdictDocument; readonly keys: TrustedKeys },
): StatementRefusal | null {
  const opened = openEnvelope(text, keys)
  if (opened.state === 'invalid') return badSignature(kind, opened.why)
  if (opened.state === 'unknown_key')
    return badSignature(kind, 'it is signed with a key that is not enrolled')
  const { signature } = verdict
  if (signature !== undefined && signature.key_id !== opened.keyId)
    return mismatch(kind, 'it is signed with another key than the verdict')
  const why = contradiction(kind, opened.statement, verdict)
  return why === null ? null : mismatch(kind, why)
}

const titles = { review: 'review', tests: 'tests' } as const satisfies Record<
  PushedStatement,
  string
>

const mismatch = (kind: PushedStatement, why: string): StatementRefusal => ({
  reason: `the statement about its ${titles[kind]} contradicts its verdict: ${why}`,
  errorClass: 'statement_mismatch',
})

const badSignature = (kind: PushedStatement, why: string): StatementRefusal => ({
  reason: `the statement about its ${titles[kind]} is not trusted: ${why}`,
  errorClass: 'verdict_signature_invalid',
})
