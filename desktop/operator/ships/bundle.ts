// The bundle of a ship for the host: the files that make it complete first, then as many others as fit.
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { maxBundleBytes, shipBundleFiles, type ShipBundle } from '#shared/bundle'
import { Problem } from '#shared/errors'
import { manifest, manifestName, tombstoneName } from '#shared/proof'
import { sha256Of } from '#ops/base/sha256'
import { readJson } from '#ops/base/files/json-file'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { tombstoneText } from '#ops/core/proof/prune-bundle'
import { shipFiles, shipFolder } from './folder.ts'

type BundleFile = ShipBundle['files'][number]

/** Room for the names and digests around the files, and for the tombstone. */
const overheadBytes = 256 * 1024

/** Most files of a bundle: what the host accepts, less the tombstone that says what was left out. */
const maxFiles = 199

/**
 * Small files come first after the required ones: a huge test log must not keep the proof from the host. What a sealed
 * bundle leaves out is accounted for by a tombstone that is in the upload only.
 *
 * @throws {Problem} `body_too_large` when the required files do not fit; `not_found` when one of them is missing;
 *   `proof_broken` when its manifest cannot be read
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
  const required = sealed === undefined ? shipBundleFiles : [...shipBundleFiles, manifestName]
  const sizes = new Map(
    shipFiles(repository, id)
      .filter((path) => sealed === undefined || path !== tombstoneName)
      .map((path) => [path, lstatSync(join(folder, path)).size]),
  )
  const { files, leftOut } = fit({ id, folder, required, sizes })
  const present = new Set(files.map(({ path }) => path))
  const gone = sealed?.files.map(({ path }) => path).filter((path) => !present.has(path)) ?? []
  const text =
    gone.length === 0 ? null : tombstoneText(folder, { gone, reason: 'not_uploaded', key })
  const tombstone = text === null ? [] : [bundleFile(tombstoneName, Buffer.from(text))]
  return { bundle: { schema_version: 1, run_id: id, files: [...files, ...tombstone] }, leftOut }
}

interface Proof {
  readonly id: string
  readonly folder: string
  readonly required: readonly string[]
  /** Bytes of each file. */
  readonly sizes: ReadonlyMap<string, number>
}

/** @throws {Problem} `not_found`, `body_too_large` */
function fit({ id, folder, required, sizes }: Proof): {
  files: BundleFile[]
  leftOut: string[]
} {
  for (const path of required)
    if (!sizes.has(path))
      throw new Problem('not_found', `The proof of ship ${id} is not complete: ${path} is missing.`)
  let left = maxBundleBytes - overheadBytes
  const files: BundleFile[] = []
  const leftOut: string[] = []
  for (const [path, size] of inOrder(required, sizes)) {
    const encoded = Math.ceil(size / 3) * 4 + 400
    if (encoded <= left && files.length < maxFiles) {
      left -= encoded
      files.push(bundleFile(path, readFileSync(join(folder, path))))
    } else if (required.includes(path))
      throw new Problem(
        'body_too_large',
        `The proof of ship ${id} is larger than the host accepts: ${path} has ${size} bytes.`,
      )
    else leftOut.push(path)
  }
  return { files, leftOut }
}

/** Required files first, then small ones. */
const inOrder = (
  required: readonly string[],
  sizes: ReadonlyMap<string, number>,
): [path: string, size: number][] =>
  [...sizes].toSorted(
    ([a, sizeOfA], [b, sizeOfB]) =>
      Number(required.includes(b)) - Number(required.includes(a)) || sizeOfA - sizeOfB,
  )

const bundleFile = (path: string, bytes: Buffer): BundleFile => ({
  path,
  size: bytes.length,
  sha256: sha256Of(bytes),
  content_base64: bytes.toString('base64'),
})
