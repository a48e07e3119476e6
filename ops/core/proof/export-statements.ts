// One file with the statements of a run, for programs that know nothing of HQ.
import { join } from 'node:path'
import { deployed, deployedFile, type Deployed } from '#shared/deployed'
import { pushedStatements, statementRef } from '#shared/statement'
import { messageOf } from '#shared/system-error'
import { readJson } from '#ops/base/files/json-file'
import { sha256Of } from '#ops/base/sha256'
import { openEnvelope } from '#ops/core/trust/envelope'
import { readStatement, readStatementRefs } from '#ops/core/trust/statement-link'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { ExportLines, notExported, type Exported } from './export-lines.ts'

export interface ExportRequest {
  /** Folders of the sealed bundles of one run. */
  readonly bundles: readonly { readonly dir: string; readonly keys: TrustedKeys }[]
  /** Keys of laptops: they signed the reviews that a deploy rests on. */
  readonly shipKeys: TrustedKeys
  /** Repository with the statements of commits; null: there is none here. */
  readonly repo: string | null
}

/**
 * Gathers the statements of the bundles, and of the reviews that a deploy rests on. Every one is verified first. The
 * public keys go along, so that a reader can see which one is meant; they prove nothing, a verifier takes its trusted
 * key from elsewhere.
 * @throws {Problem} `proof_broken` for a bundle that is not verified, `statement_mismatch` for a statement that
 *   contradicts the verdict beside it, `nothing_to_export` when there is no statement
 */
export async function exportStatements(request: ExportRequest): Promise<Exported> {
  const lines = new ExportLines()
  for (const { dir, keys } of request.bundles) {
    await lines.addBundle(dir, keys)
    const facts = readJson(join(dir, deployedFile), deployed, 'proof_broken')
    if (facts !== undefined && request.repo !== null)
      await addReviews(lines, facts, { repo: request.repo, keys: request.shipKeys })
  }
  return lines.finish()
}

interface ReviewSource {
  readonly repo: string
  readonly keys: TrustedKeys
  /** What becomes of a statement that none of the keys signed: a laptop does not know the keys of other laptops. */
  readonly unknown?: 'refuse' | 'leave_out'
}

/**
 * Adds the statements of commits that a deploy names, as far as the repository still has the very ones.
 * @throws {Problem} `proof_broken`
 */
export async function addReviews(
  lines: ExportLines,
  { reviews }: Pick<Deployed, 'reviews'>,
  { repo, keys, unknown = 'refuse' }: ReviewSource,
): Promise<void> {
  const refs = await readStatementRefs(repo)
  for (const { commit, statements } of reviews)
    for (const kind of pushedStatements) {
      const text = await readOrThrow(() => readStatement({ repo }, { kind, commit }, refs))
      if (text === null || sha256Of(text) !== statements[kind]) continue
      if (unknown === 'refuse' || openEnvelope(text, keys).state !== 'unknown_key')
        lines.add(statementRef(kind, commit), text, keys)
    }
}

async function readOrThrow<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw notExported(`a statement of a commit cannot be read: ${messageOf(error)}`)
  }
}
