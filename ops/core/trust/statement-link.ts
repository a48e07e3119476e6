// The statements that lie beside the verdict of a commit must say the same as the verdict.
import {
  pushedStatements,
  statementRef,
  statementRefs,
  type PushedStatement,
} from '#shared/statement'
import type { VerdictDocument } from '#shared/signature'
import { messageOf } from '#shared/system-error'
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

/**
 * A commit without statements is good: an older HQ shipped it. A statement that is there must be signed by the key of
 * the verdict, and must not say anything else. The verdict was checked before.
 * @returns null when nothing contradicts the verdict
 */
export async function refuseStatements(
  verdict: VerdictDocument,
  trust: { readonly repo: string; readonly keys: TrustedKeys; readonly git?: GitOptions },
  refs: StatementRefs,
): Promise<StatementRefusal | null> {
  for (const kind of pushedStatements) {
    let text: string | null
    try {
      text = await readStatement(trust, { kind, commit: verdict.head_sha }, refs)
    } catch (error) {
      return mismatch(kind, `it cannot be read: ${messageOf(error)}`)
    }
    if (text === null && !refs.has(statementRef(kind, verdict.head_sha))) continue
    const wrong =
      text === null ? mismatch(kind, 'it is not a file') : judge(kind, text, { verdict, ...trust })
    if (wrong !== null) return wrong
  }
  return null
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
