// One file with the statements of a run, for programs that know nothing of HQ.
import { join } from 'node:path'
import { deployed, deployedFile } from '#shared/deployed'
import { Problem } from '#shared/errors'
import { verdictDocument, type VerdictDocument } from '#shared/signature'
import { pushedStatements, statementFile, statementKinds, statementRef } from '#shared/statement'
import type { StatementKind } from '#shared/statement'
import { messageOf } from '#shared/system-error'
import { readJson } from '#ops/base/files/json-file'
import { sha256Of } from '#ops/base/sha256'
import { contradiction } from '#ops/core/trust/commit-statements'
import { openEnvelope } from '#ops/core/trust/envelope'
import { readStatement, readStatementRefs } from '#ops/core/trust/statement-link'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { readDocument } from './manifest-text.ts'
import { verifyBundle } from './verify-bundle.ts'

export interface ExportRequest {
  /** Folders of the sealed bundles of one run. */
  readonly bundles: readonly { readonly dir: string; readonly keys: TrustedKeys }[]
  /** Keys of laptops: they signed the reviews that a deploy rests on. */
  readonly shipKeys: TrustedKeys
  /** Repository with the statements of commits; null: there is none here. */
  readonly repo: string | null
}

export interface ExportedStatement {
  /** File of the bundle, or ref of the repository. */
  readonly from: string
  readonly predicate_type: string
  readonly key_id: string
  /** Of the line, without its line feed. */
  readonly sha256: string
}

export interface Exported {
  /** JSON Lines: one envelope a line, and the keys in the last one. */
  readonly text: string
  readonly statements: readonly ExportedStatement[]
  /** Ids of the keys that signed. */
  readonly keys: readonly string[]
}

/** Type of the last line. A reader of in-toto bundles ignores a line that it does not know. */
const keysType = 'urn:openclaw-hq:keys:v1'

/**
 * Gathers the statements of the bundles, and of the reviews that a deploy rests on. Every one is verified first: what
 * HQ would not trust is not exported. The public keys go along, so that a reader can see which one is meant; they
 * prove nothing, a verifier takes its trusted key from elsewhere.
 * @throws {Problem} `proof_broken` for a bundle that is not verified, `statement_mismatch` for a statement that
 *   contradicts the verdict beside it, `nothing_to_export` when there is no statement
 */
export async function exportStatements(request: ExportRequest): Promise<Exported> {
  const lines = new Map<string, ExportedStatement>()
  const signers = new Map<string, string>()
  const add = (from: string, text: string, keys: TrustedKeys): void => {
    const opened = openEnvelope(text, keys)
    if (opened.state !== 'verified')
      throw broken(`${from} is ${opened.state === 'invalid' ? opened.why : 'of an unknown key'}`)
    if (lines.has(text)) return
    const { keyId, statement } = opened
    signers.set(keyId, publicKeyOf(keys, keyId))
    lines.set(text, {
      from,
      predicate_type: statement.predicateType,
      key_id: keyId,
      sha256: sha256Of(text),
    })
  }
  for (const { dir, keys } of request.bundles) {
    await requireVerified(dir, keys)
    const verdict = readJson(join(dir, 'verdict.json'), verdictDocument, 'proof_broken')
    for (const kind of statementKinds) {
      const text = readDocument(join(dir, statementFile(kind)))
      if (text === null) continue
      if (verdict !== undefined) refuseContradiction(kind, text, verdict)
      add(statementFile(kind), text, keys)
    }
    for (const [ref, text] of await reviewsBelow(dir, request.repo))
      add(ref, text, request.shipKeys)
  }
  if (lines.size === 0)
    throw new Problem(
      'nothing_to_export',
      'The proof of this run holds no statement: an older HQ sealed it. Nothing was written.',
    )
  const keys = [...signers].map(([keyid, public_key]) => ({ keyid, scheme: 'ed25519', public_key }))
  const last = JSON.stringify({ type: keysType, keys })
  return {
    text: [...lines.keys(), last].map((line) => `${line}\n`).join(''),
    statements: [...lines.values()],
    keys: [...signers.keys()],
  }
}

const broken = (why: string, evidence: readonly string[] = []): Problem =>
  new Problem('proof_broken', `The proof was not exported: ${why}. Nothing was written.`, {
    evidence,
  })

/** @throws {Problem} `statement_mismatch` when a statement of a ship is not about the verdict beside it */
function refuseContradiction(kind: StatementKind, text: string, verdict: VerdictDocument): void {
  if (kind !== 'review' && kind !== 'tests') return
  const opened = openEnvelope(text, new Map())
  const why =
    opened.state === 'invalid' ? opened.why : contradiction(kind, opened.statement, verdict)
  if (why !== null)
    throw new Problem(
      'statement_mismatch',
      `${statementFile(kind)} contradicts verdict.json: ${why}. Nothing was written.`,
    )
}

const publicKeyOf = (keys: TrustedKeys, id: string): string =>
  keys.get(id)?.export({ type: 'spki', format: 'pem' }).toString() ?? ''

/** @throws {Problem} `proof_broken` */
async function requireVerified(dir: string, keys: TrustedKeys): Promise<void> {
  const { state, problems } = await verifyBundle(dir, { keys })
  if (state !== 'verified')
    throw broken(
      `${dir} is ${state}`,
      problems.map(
        ({ code, file, detail }) => `${code}${file === null ? '' : ` ${file}`}: ${detail}`,
      ),
    )
}

/** The statements of commits that a deploy names, as far as the repository still has the very ones. */
async function reviewsBelow(dir: string, repo: string | null): Promise<[string, string][]> {
  const facts = readJson(join(dir, deployedFile), deployed, 'proof_broken')
  if (facts === undefined || repo === null) return []
  const refs = await readStatementRefs(repo)
  const found: [string, string][] = []
  for (const { commit, statements } of facts.reviews)
    for (const kind of pushedStatements) {
      const text = await readOrThrow(() => readStatement({ repo }, { kind, commit }, refs))
      if (text !== null && sha256Of(text) === statements[kind])
        found.push([statementRef(kind, commit), text])
    }
  return found
}

async function readOrThrow<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw broken(`a statement of a commit cannot be read: ${messageOf(error)}`)
  }
}
