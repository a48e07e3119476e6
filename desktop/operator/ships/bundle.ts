import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { maxBundleBytes, shipBundleFiles, type ShipBundle } from '#shared/bundle'
import { Problem } from '#shared/errors'
import { manifest, manifestName, tombstoneName } from '#shared/proof'
import { readJson } from '#ops/base/files/json-file'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { tombstoneText } from '#ops/core/proof/prune-bundle'
import { shipFiles, shipFolder } from './folder.ts'

/** Room for the names and digests around the files, and for the tombstone. */
const overheadBytes = 256 * 1024

/** Most files of a bundle: what the host takes, less the one that says what was left out. */
const maxFiles = 199

/**
 * The bundle of a ship for the host. The files that make it complete come first, then as many others as fit, small ones
 * first: a huge test log must not keep the proof from the host. What a sealed bundle leaves out is accounted for by a
 * tombstone that is in the upload only.
 *
 * @throws {Problem} `body_too_large` when not even the files that must be there fit; `not_found` when one of them is missing; `proof_broken` when its
 *   manifest cannot be read
 */
export function makeShipBundle(
  repository: string,
  id: string,
  key: SigningKey,
): { bundle: ShipBundle; leftOut: string[] } {
  const folder = shipFolder(repository, id)
  const sealed = existsSync(join(folder, manifestName))
    ? readJson(join(folder, manifestName), manifest, 'proof_broken')
    : undefined
  const required: readonly string[] =
    sealed === undefined ? shipBundleFiles : [...shipBundleFiles, manifestName]
  const sizes = new Map(
    shipFiles(repository, id)
      .filter((path) => sealed === undefined || path !== tombstoneName)
      .map((path) => [path, lstatSync(join(folder, path)).size]),
  )
  for (const path of required)
    if (!sizes.has(path))
      throw new Problem('not_found', `The proof of ship ${id} is not complete: ${path} is missing.`)
  const order = [...sizes.keys()].toSorted(
    (a, b) =>
      Number(required.includes(b)) - Number(required.includes(a)) ||
      (sizes.get(a) ?? 0) - (sizes.get(b) ?? 0),
  )

  let left = maxBundleBytes - overheadBytes
  const files: ShipBundle['files'] = []
  const leftOut: string[] = []
  for (const path of order) {
    const encoded = Math.ceil((sizes.get(path) ?? 0) / 3) * 4 + 400
    if (encoded > left || files.length >= maxFiles) {
      if (required.includes(path))
        throw new Problem(
          'body_too_large',
          `The proof of ship ${id} is larger than the host takes: ${path} has ${sizes.get(path)} bytes.`,
        )
      leftOut.push(path)
      continue
    }
    const bytes = readFileSync(join(folder, path))
    left -= encoded
    files.push({
      path,
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      content_base64: bytes.toString('base64'),
    })
  }
  const there = new Set(files.map(({ path }) => path))
  const gone = sealed?.files.map(({ path }) => path).filter((path) => !there.has(path)) ?? []
  const text =
    gone.length === 0 ? null : tombstoneText(folder, { gone, reason: 'not_uploaded', key })
  if (text !== null) {
    const bytes = Buffer.from(text)
    files.push({
      path: tombstoneName,
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      content_base64: bytes.toString('base64'),
    })
  }
  return { bundle: { schema_version: 1, run_id: id, files }, leftOut }
}
