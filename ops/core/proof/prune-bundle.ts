import { existsSync, realpathSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Problem } from '#shared/errors'
import { sha256Of } from '#ops/base/sha256'
import {
  manifest as manifestSchema,
  tombstone as tombstoneSchema,
  manifestName,
  tombstoneName,
  type Manifest,
  type ProvenFile,
  type Tombstone,
} from '#shared/proof'
import { parseJson, writeWhole } from '#ops/base/files/json-file'
import { signDocument } from '#ops/core/trust/signed-document'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { documentText, readDocument } from './manifest-text.ts'

export interface PruneRequest {
  /** Folder of a sealed bundle. */
  readonly dir: string
  /** The key that sealed it. */
  readonly key: SigningKey
  /** Which files go. */
  readonly drop: (file: ProvenFile) => boolean
  readonly now?: Date
}

function sealedManifest(dir: string): { manifest: Manifest; text: string } {
  const text = readDocument(join(dir, manifestName))
  if (text === null)
    throw new Problem('proof_broken', `${dir} is not sealed, so nothing of it may be deleted.`)
  return {
    manifest: parseJson(text, manifestSchema, {
      errorClass: 'proof_broken',
      origin: join(dir, manifestName),
    }),
    text,
  }
}

interface TombstoneRequest {
  /** Paths that are not there. Those that the manifest does not hold are left out. */
  readonly gone: readonly string[]
  readonly reason: Tombstone['reason']
  readonly key: SigningKey
  readonly now?: Date | undefined
}

/** The text of a tombstone.json that accounts for files of a sealed bundle. @returns null when it would list none */
export function tombstoneText(
  dir: string,
  { gone, reason, key, now = new Date() }: TombstoneRequest,
): string | null {
  const { manifest, text } = sealedManifest(dir)
  const wanted = new Set(gone)
  const files = manifest.files.filter(({ path }) => wanted.has(path))
  if (files.length === 0) return null
  const unsigned: Omit<Tombstone, 'signature'> = {
    type: 'openclaw.tombstone',
    schema_version: 1,
    run_id: manifest.run_id,
    manifest_sha256: sha256Of(text),
    reason,
    created_at: now.toISOString(),
    files,
  }
  return documentText(signDocument('tombstone', unsigned, key))
}

/**
 * Deletes files of a sealed bundle (retention): the signed tombstone is in place before the first file goes,
 * so a kill in between leaves files that are still there, never files that are missed. The manifest stays for ever.
 *
 * @returns the paths that are gone now because of this call
 * @throws {Problem} `proof_broken` when the bundle is not sealed or its tombstone is unreadable
 */
export function pruneBundle({ dir, key, drop, now }: PruneRequest): string[] {
  const { manifest } = sealedManifest(dir)
  const before = readDocument(join(dir, tombstoneName))
  const earlier =
    before === null
      ? []
      : parseJson(before, tombstoneSchema, {
          errorClass: 'proof_broken',
          origin: join(dir, tombstoneName),
        }).files.map(({ path }) => path)
  const chosen = manifest.files.filter((file) => drop(file)).map(({ path }) => path)
  if (chosen.length === 0) return []
  const all = [...new Set([...earlier, ...chosen])]
  if (all.length > earlier.length) {
    const text = tombstoneText(dir, { gone: all, reason: 'retention', key, now })
    if (text !== null) writeWhole(join(dir, tombstoneName), text)
  }
  for (const path of chosen) remove(dir, path)
  return chosen
}

/** Deletes a file of the bundle, and nothing outside it that a link leads to. */
function remove(dir: string, path: string): void {
  const parent = dirname(join(dir, path))
  if (!existsSync(parent)) return
  if (realpathSync(parent) !== join(realpathSync(dir), dirname(path)))
    throw new Problem('proof_broken', `${parent} leads out of the bundle. ${path} was not deleted.`)
  rmSync(join(dir, path), { force: true })
}
