// The lines of an export: one envelope each, verified before it goes in, and the keys in the last.
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { verdictDocument, type VerdictDocument } from '#shared/signature'
import { statementFile, statementKinds, type StatementKind } from '#shared/statement'
import { readJson } from '#ops/base/files/json-file'
import { sha256Of } from '#ops/base/sha256'
import { contradiction } from '#ops/core/trust/commit-statements'
import { openEnvelope } from '#ops/core/trust/envelope'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { readDocument } from './manifest-text.ts'
import { verifyBundle } from './verify-bundle.ts'

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

/** Gathers statements; every one is verified when it is added: what HQ would not trust is not exported. */
export class ExportLines {
  readonly #lines = new Map<string, ExportedStatement>()
  readonly #signers = new Map<string, string>()

  /** @param from file or ref @throws {Problem} `proof_broken` for a line that none of the keys signed */
  add(from: string, text: string, keys: TrustedKeys): void {
    const opened = openEnvelope(text, keys)
    if (opened.state !== 'verified')
      throw notExported(
        `${from} is ${opened.state === 'invalid' ? opened.why : 'of an unknown key'}`,
      )
    if (this.#lines.has(text)) return
    const { keyId, statement } = opened
    this.#signers.set(keyId, publicKeyOf(keys, keyId))
    this.#lines.set(text, {
      from,
      predicate_type: statement.predicateType,
      key_id: keyId,
      sha256: sha256Of(text),
    })
  }

  /**
   * Adds the statements of a sealed bundle.
   * @throws {Problem} `proof_broken` for a bundle that is not verified, `statement_mismatch` for a statement that
   *   contradicts the verdict beside it
   */
  async addBundle(dir: string, keys: TrustedKeys): Promise<void> {
    await requireVerified(dir, keys)
    const verdict = readJson(join(dir, 'verdict.json'), verdictDocument, 'proof_broken')
    for (const kind of statementKinds) {
      const text = readDocument(join(dir, statementFile(kind)))
      if (text === null) continue
      if (verdict !== undefined) refuseContradiction(kind, text, verdict)
      this.add(statementFile(kind), text, keys)
    }
  }

  /** Adds what another machine exported. The keys in it are not used. @throws {Problem} `proof_broken` */
  addExported(text: string, statements: readonly ExportedStatement[], keys: TrustedKeys): void {
    const from = new Map(statements.map((each) => [each.sha256, each.from]))
    for (const line of text.trimEnd().split('\n').slice(0, -1))
      this.add(from.get(sha256Of(line)) ?? 'a statement', line, keys)
  }

  /** @throws {Problem} `nothing_to_export` when there is no statement */
  finish(): Exported {
    if (this.#lines.size === 0)
      throw new Problem(
        'nothing_to_export',
        'The proof of this run holds no statement: an older HQ sealed it. Nothing was written.',
      )
    const keys = [...this.#signers].map(([keyid, public_key]) => ({
      keyid,
      scheme: 'ed25519',
      public_key,
    }))
    const last = JSON.stringify({ type: keysType, keys })
    return {
      text: [...this.#lines.keys(), last].map((line) => `${line}\n`).join(''),
      statements: [...this.#lines.values()],
      keys: [...this.#signers.keys()],
    }
  }
}

export const notExported = (why: string, evidence: readonly string[] = []): Problem =>
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
    throw notExported(
      `${dir} is ${state}`,
      problems.map(
        ({ code, file, detail }) => `${code}${file === null ? '' : ` ${file}`}: ${detail}`,
      ),
    )
}
