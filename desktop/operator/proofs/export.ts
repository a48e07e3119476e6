/** The statements of a proof in one text, as `hq proof export` writes them (docs/STATEMENTS.md). */
import { existsSync } from 'node:fs'
import { deployed, deployedFile } from '#shared/deployed'
import { Problem } from '#shared/errors'
import { maxShownFileBytes, sealedKind, type EvidencePlace } from '#shared/evidence'
import type { TrustedKey } from '#shared/signature'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { ExportLines } from '#ops/core/proof/export-lines'
import { addReviews } from '#ops/core/proof/export-statements'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { trustedHostKey, trustedShipKey } from '#ops/core/proof/witness-alarms'
import { trustKeys, type TrustedKeys } from '#ops/core/trust/trusted-keys'
import type { OneHost } from '../host/client.ts'
import { shipFolder } from '../ships/folder.ts'

export interface ExportOptions {
  readonly home: string
  /** Root of the chosen repository; null when none is chosen. */
  readonly repository: () => string | null
  /** The selected host. @throws {Problem} `host_not_enrolled` when none is enrolled */
  readonly host: () => OneHost
}

/**
 * What the host sends is verified here again, with the key that this laptop has learned from it. An export of a deploy
 * brings the reviews that it rests on, as far as the chosen repository has the very ones and this laptop signed
 * them: it knows no other.
 * @throws {Problem} `not_found`, `nothing_to_export`, `proof_broken`, `statement_mismatch`, and what the host answers
 */
export async function exportProof(
  options: ExportOptions,
  place: EvidencePlace,
): Promise<{ text: string }> {
  const lines = new ExportLines()
  if (place.side === 'laptop') await addOwn(lines, options, place)
  else await addOfHost(lines, options, place)
  const { text } = lines.finish()
  return { text }
}

const keysOf = (keys: readonly (TrustedKey | null)[], origin: string): TrustedKeys =>
  trustKeys(
    keys.filter((key) => key !== null),
    origin,
  )

const shipKeys = (home: string): TrustedKeys => {
  const own = readProofPublicKey(laptopProofPaths(home, ''))
  const learned = trustedShipKey(home)
  return keysOf([own, learned?.id === own?.id ? null : learned], 'the ship key of this laptop')
}

async function addOwn(
  lines: ExportLines,
  { home, repository }: ExportOptions,
  { folder, run_id }: EvidencePlace,
): Promise<void> {
  const root = repository()
  const dir = root === null || folder !== 'ship' ? null : shipFolder(root, run_id)
  if (dir === null || !existsSync(dir))
    throw new Problem('not_found', `This laptop has no files of ${folder} ${run_id}.`)
  await lines.addBundle(dir, shipKeys(home))
}

async function addOfHost(
  lines: ExportLines,
  { home, repository, host }: ExportOptions,
  { folder, run_id }: EvidencePlace,
): Promise<void> {
  const kind = sealedKind(folder)
  const {
    client,
    host: { name },
  } = host()
  const { text, statements } = await client.exportProof(kind, run_id)
  const keys =
    kind === 'ship' ? shipKeys(home) : keysOf([trustedHostKey(home, name)], `the key of ${name}`)
  lines.addExported(text, statements, keys)
  const repo = repository()
  if (kind !== 'deploy' || repo === null) return
  const { entries } = await client.listArtifacts(`${kind}/${run_id}`)
  if (!entries.some((entry) => entry.name === deployedFile)) return
  const { bytes } = await client.readArtifact(
    `${kind}/${run_id}/${deployedFile}`,
    maxShownFileBytes,
  )
  const facts = deployed.safeParse(JSON.parse(new TextDecoder().decode(bytes)))
  if (!facts.success)
    throw new Problem(
      'proof_broken',
      `The proof was not exported: ${deployedFile} cannot be read. Nothing was written.`,
      { cause: facts.error },
    )
  await addReviews(lines, facts.data, { repo, keys: shipKeys(home), unknown: 'leave_out' })
}
