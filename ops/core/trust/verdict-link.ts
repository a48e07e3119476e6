// Reads and checks the verdict of one commit.
import { Problem, type ErrorClass } from '#shared/errors'
import type { ReviewEvidence } from '#shared/deployed'
import { verdictDocument, type VerdictDocument } from '#shared/signature'
import { reviewRef } from '#shared/verdict'
import { messageOf } from '#shared/system-error'
import { sha256Of } from '#ops/base/sha256'
import { isAncestor, treeOf } from '#ops/platform/git/commits'
import type { NeutralGit } from '#ops/platform/git/neutral-diff'
import { readBlob } from '#ops/platform/git/objects'
import type { GitOptions } from '#ops/platform/git/run-git'
import { parseJson } from '#ops/base/files/json-file'
import { checkVerdictSignature } from './sign-verdict.ts'
import { checkStatements, type StatementRefs } from './statement-link.ts'
import type { TrustedKeys } from './trusted-keys.ts'

/** A provider whose verdicts count, by the trust file or the operator's settings; never by the repository. */
export interface AcceptedProvider {
  readonly id: string
  readonly base_url: string
}

/** What decides whether a verdict counts. */
export interface VerdictTrust {
  /** A repository into which `refs/openclaw/reviews/*` were fetched. */
  readonly repo: string
  readonly acceptedProviders: readonly AcceptedProvider[]
  /**
   * Keys whose signatures count. With any, every verdict must be signed by one of them; with none, none need be
   * signed.
   */
  readonly keys?: TrustedKeys
  readonly git?: GitOptions
  /** Where the text of a commit's verdict comes from; by default its review ref. Null: there is none. */
  readonly readVerdict?: (commit: string) => Promise<string | null>
}

/** Why a commit has no good verdict. */
export interface Refusal {
  readonly reason: string
  readonly errorClass: ErrorClass &
    (
      | 'unreviewed_commit'
      | 'verdict_mismatch'
      | 'verdict_signature_invalid'
      | 'statement_mismatch'
      | 'provider_not_accepted'
    )
}

/** A verdict that counts, and the digests of what proves it. */
export interface CheckedVerdict {
  readonly verdict: VerdictDocument
  readonly evidence: ReviewEvidence
}

export type Link = CheckedVerdict | Refusal

/** Two commits whose difference a reviewer saw whole. */
export interface Range {
  readonly base_sha: string
  readonly head_sha: string
}

/** Class of a verdict that is larger than any real one. */
const tooLarge = 'verdict_mismatch'
const noKeys: TrustedKeys = new Map()

const signatureReasons = {
  invalid: 'the signature of its verdict does not match the verdict',
  unknown_key: 'its verdict is signed with a key that is not enrolled',
  unverified: 'its verdict is not signed, and keys are enrolled',
} as const

/** How a repository is read while verdicts are walked. */
export interface ReviewReader {
  readonly neutral: NeutralGit
  /** Statements beside the verdicts. */
  readonly statements: StatementRefs
}

/**
 * Checks schema, signature, commit, tree and provider, base and diff digest of every range that the verdict covers, and
 * that the statements beside it say the same.
 */
export async function readLink(
  commit: string,
  trust: VerdictTrust,
  { neutral, statements }: ReviewReader,
): Promise<Link> {
  const { repo, git = {} } = trust
  const { readVerdict = (of) => readBlob(repo, reviewRef(of), { ...git, tooLarge }) } = trust
  let text: string | null
  try {
    text = await readVerdict(commit)
  } catch (error) {
    if (error instanceof Problem && error.errorClass === tooLarge)
      return mismatch(`its verdict cannot be read: ${error.message}`)
    throw error
  }
  if (text === null) return { reason: 'it has no review verdict', errorClass: 'unreviewed_commit' }
  let verdict: VerdictDocument
  try {
    verdict = parseJson(text, verdictDocument, {
      errorClass: 'verdict_mismatch',
      origin: reviewRef(commit),
    })
  } catch (error) {
    return mismatch(`its verdict cannot be read: ${messageOf(error)}`)
  }
  const refusal =
    untrusted(verdict, trust) ??
    (await otherCommit(verdict, commit, trust)) ??
    (await otherRange(verdict, trust, neutral))
  if (refusal !== null) return refusal
  const checked = await checkStatements(verdict, { keys: noKeys, ...trust }, statements)
  if ('reason' in checked) return checked
  const { digests } = checked
  return {
    verdict,
    evidence: { commit, verdict_sha256: sha256Of(text), statements: digests },
  }
}

/** Every range that a verdict covers: the change itself, and what was not proven below it. */
export const rangesOf = ({ base_sha, head_sha, unproven = [] }: VerdictDocument): Range[] => [
  { base_sha, head_sha },
  ...unproven.map((each) => ({ base_sha: each.base_sha, head_sha: each.head_sha })),
]

const mismatch = (reason: string): Refusal => ({ reason, errorClass: 'verdict_mismatch' })

/** Who signed it, and who reviewed. Null: both are trusted. */
function untrusted(
  verdict: VerdictDocument,
  { acceptedProviders, keys = noKeys }: VerdictTrust,
): Refusal | null {
  const signed = checkVerdictSignature(verdict, keys)
  if (signed !== 'verified' && !(signed === 'unverified' && keys.size === 0))
    return { reason: signatureReasons[signed], errorClass: 'verdict_signature_invalid' }
  const { provider_id, base_url } = verdict.reviewer
  return acceptedProviders.some((each) => each.id === provider_id && each.base_url === base_url)
    ? null
    : {
        reason: `its reviewer ${provider_id} at ${base_url} is not accepted`,
        errorClass: 'provider_not_accepted',
      }
}

async function otherCommit(
  { head_sha, tree_sha }: VerdictDocument,
  commit: string,
  { repo, git = {} }: VerdictTrust,
): Promise<Refusal | null> {
  if (head_sha !== commit) return mismatch(`its verdict is about another commit, ${head_sha}`)
  return tree_sha === (await treeOf(repo, commit, git))
    ? null
    : mismatch('its verdict is about another tree')
}

/** Each range must lie below the commit of the verdict, and its diff must be the one that was reviewed. */
async function otherRange(
  verdict: VerdictDocument,
  trust: VerdictTrust,
  neutral: NeutralGit,
): Promise<Refusal | null> {
  const { head_sha: commit, unproven = [] } = verdict
  for (const { base_sha, head_sha, diff_sha256 } of [verdict, ...unproven]) {
    if (
      base_sha === head_sha ||
      !(await isKnownAncestor({ ancestor: base_sha, commit: head_sha }, trust))
    )
      return mismatch(`the base of its verdict, ${base_sha}, is not an ancestor of it`)
    if (head_sha !== commit && !(await isKnownAncestor({ ancestor: head_sha, commit }, trust)))
      return mismatch(`its verdict covers ${head_sha}, which is not an ancestor of it`)
    if (diff_sha256 !== (await neutral.diffDigest(base_sha, head_sha)))
      return mismatch('its verdict is about another diff')
  }
  return null
}

async function isKnownAncestor(
  pair: { readonly ancestor: string; readonly commit: string },
  { repo, git = {} }: VerdictTrust,
): Promise<boolean> {
  try {
    return await isAncestor(repo, pair, git)
  } catch {
    return false // git exits 128 for a missing commit; that is not an ancestor
  }
}
