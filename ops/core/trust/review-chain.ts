import type { ErrorClass } from '#shared/errors'
import { verdictDocument, type VerdictDocument } from '#shared/signature'
import { reviewRef } from '#shared/verdict'
import { messageOf } from '#shared/system-error'
import { isAncestor, listAncestors, treeOf } from '#ops/platform/git/commits'
import { withNeutralGit, type NeutralGit } from '#ops/platform/git/neutral-diff'
import { readBlob } from '#ops/platform/git/objects'
import { listRefs } from '#ops/platform/git/refs'
import type { GitOptions } from '#ops/platform/git/run-git'
import { parseJson } from '#ops/base/files/json-file'
import { checkVerdictSignature } from './sign-verdict.ts'
import type { TrustedKeys } from './trusted-keys.ts'

/** A provider whose verdicts count, by the trust file or the operator's settings; never by the repository. */
export interface AcceptedProvider {
  readonly id: string
  readonly base_url: string
}

export interface ChainQuestion {
  /** A repository into which `refs/openclaw/reviews/*` were fetched. */
  readonly repo: string
  /** Commit from which on every change needs a verdict. */
  readonly baseline: string
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

export type ChainAnswer =
  | {
      readonly proven: true
      /** Newest first; empty when the target is the baseline itself. */ readonly chain: readonly VerdictDocument[]
    }
  | ({
      readonly proven: false
      /** The commit without a good verdict. */ readonly commit: string
    } & Refusal)

interface Refusal {
  readonly reason: string
  readonly errorClass: ErrorClass &
    (
      | 'unreviewed_commit'
      | 'verdict_mismatch'
      | 'verdict_signature_invalid'
      | 'provider_not_accepted'
    )
}
type Link = { readonly verdict: VerdictDocument } | Refusal
const noKeys: TrustedKeys = new Map()

const signatureReasons = {
  invalid: 'the signature of its verdict does not match the verdict',
  unknown_key: 'its verdict is signed with a key that is not enrolled',
  unverified: 'its verdict is not signed, and keys are enrolled',
} as const

/** Reads and checks the verdict of one commit: schema, signature, commit, tree, provider, base, diff digest. */
async function readLink(
  commit: string,
  {
    repo,
    acceptedProviders,
    keys = noKeys,
    git = {},
    readVerdict = (of) => readBlob(repo, reviewRef(of), git),
  }: Omit<ChainQuestion, 'baseline'>,
  neutral: NeutralGit,
): Promise<Link> {
  const text = await readVerdict(commit)
  if (text === null) return { reason: 'it has no review verdict', errorClass: 'unreviewed_commit' }
  const mismatch = (reason: string): Refusal => ({ reason, errorClass: 'verdict_mismatch' })
  let verdict: VerdictDocument
  try {
    verdict = parseJson(text, verdictDocument, {
      errorClass: 'verdict_mismatch',
      origin: reviewRef(commit),
    })
  } catch (error) {
    return mismatch(`its verdict cannot be read: ${messageOf(error)}`)
  }
  const signed = checkVerdictSignature(verdict, keys)
  if (signed !== 'verified' && !(signed === 'unverified' && keys.size === 0))
    return { reason: signatureReasons[signed], errorClass: 'verdict_signature_invalid' }
  if (verdict.head_sha !== commit)
    return mismatch(`its verdict is about another commit, ${verdict.head_sha}`)
  if (verdict.tree_sha !== (await treeOf(repo, commit, git)))
    return mismatch('its verdict is about another tree')
  const { provider_id, base_url } = verdict.reviewer
  if (!acceptedProviders.some((each) => each.id === provider_id && each.base_url === base_url))
    return {
      reason: `its reviewer ${provider_id} at ${base_url} is not accepted`,
      errorClass: 'provider_not_accepted',
    }
  if (
    verdict.base_sha === commit ||
    !(await isKnownAncestor(repo, { ancestor: verdict.base_sha, commit }, git))
  )
    return mismatch(`the base of its verdict, ${verdict.base_sha}, is not an ancestor of it`)
  if (verdict.diff_sha256 !== (await neutral.diffDigest(verdict.base_sha, commit)))
    return mismatch('its verdict is about another diff')
  return { verdict }
}

async function isKnownAncestor(
  repo: string,
  { ancestor, commit }: { ancestor: string; commit: string },
  git: GitOptions,
): Promise<boolean> {
  try {
    return await isAncestor(repo, { ancestor, commit }, git)
  } catch {
    return false // git exits 128 for a missing commit; that is not an ancestor
  }
}

/**
 * Is `target` covered by verdicts, link by link, back to the baseline? Each verdict must be about this
 * commit, its tree and the diff from its base, come from an accepted provider, be signed by an enrolled key if there
 * is any, and rest on a base that is itself
 * proven. Reads only the local repository.
 *
 * @param target full commit id
 */
export function walkVerdicts(
  question: ChainQuestion & { readonly target: string },
): Promise<ChainAnswer> {
  return withNeutralGit(
    question.repo,
    async (neutral) => {
      const chain: VerdictDocument[] = []
      // Every base is a strict ancestor, so this ends.
      for (let commit = question.target; commit !== question.baseline;) {
        const link = await readLink(commit, question, neutral)
        if ('reason' in link) return { proven: false, commit, ...link }
        chain.push(link.verdict)
        commit = link.verdict.base_sha
      }
      return { proven: true, chain }
    },
    question.git,
  )
}

export const isProven = async (
  question: ChainQuestion & { readonly target: string },
): Promise<boolean> => (await walkVerdicts(question)).proven

/**
 * The newest ancestor of `head` (or `head` itself) that is proven: what a review starts from, so that an unreviewed
 * commit below the head is always inside the reviewed diff.
 * @returns null when not even the baseline is an ancestor
 */
export async function provenBase(
  question: ChainQuestion & { readonly head: string },
): Promise<string | null> {
  const reviewed = await listRefs(question.repo, reviewRef(''), question.git)
  for (const commit of await listAncestors(question.repo, question.head, question.git)) {
    if (commit !== question.baseline && !reviewed.has(reviewRef(commit))) continue
    if (await isProven({ ...question, target: commit })) return commit
  }
  return null
}

/**
 * Where the verdicts that lead to `head` begin: the baseline of a repository this laptop has not shipped before.
 * Without any verdict that is `head` itself (trust on first use).
 */
export function firstBaseline({
  head,
  ...question
}: Omit<ChainQuestion, 'baseline'> & { readonly head: string }): Promise<string> {
  return withNeutralGit(
    question.repo,
    async (neutral) => {
      const reviewed = await listRefs(question.repo, reviewRef(''), question.git)
      for (const newest of await listAncestors(question.repo, head, question.git)) {
        if (!reviewed.has(reviewRef(newest))) continue
        let root = newest
        for (
          let link = await readLink(root, question, neutral);
          'verdict' in link;
          link = await readLink(root, question, neutral)
        )
          root = link.verdict.base_sha
        if (root !== newest) return root
      }
      return head
    },
    question.git,
  )
}
