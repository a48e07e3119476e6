import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import {
  composeEvidence,
  maxShownFileBytes,
  type Evidence,
  type EvidenceContent,
  type EvidencePlace,
} from '#shared/evidence'
import { Problem } from '#shared/errors'
import { hostEvidence } from '#shared/hostd-client/host-evidence'
import {
  manifest,
  manifestName,
  tombstoneName,
  type BundleVerification,
  type Manifest,
} from '#shared/proof'
import { hasCode } from '#shared/system-error'
import { readJson } from '#ops/base/files/json-file'
import { readBundleFiles } from '#ops/core/proof/bundle-files'
import type { OneHost } from '../host/client.ts'
import { insideFolder, readHead } from '../base/text-file.ts'
import { shipFolder } from '../ships/folder.ts'
import type { Sightings } from './sightings.ts'

export interface EvidenceOptions {
  /** Root of the chosen repository. @throws {Problem} `not_a_repository` */
  readonly repository: () => string
  /** The selected host. @throws {Problem} `host_not_enrolled` when none is enrolled */
  readonly host: () => OneHost
  readonly verify: (folder: string) => Promise<BundleVerification>
  readonly sightings: Sightings
}

/** The files of a run and what is in them, from this laptop or from the host. */
export class EvidenceReader {
  readonly #options: EvidenceOptions

  constructor(options: EvidenceOptions) {
    this.#options = options
  }

  /** @throws {Problem} `not_found`, and what the host answers */
  async list(place: EvidencePlace): Promise<Evidence> {
    const { sightings, repository } = this.#options
    const host = place.side === 'host' ? this.#options.host() : null
    const found = host === null ? await this.#laptop(place) : await hostEvidence(host.client, place)
    if (found.verification === null) return found
    const where = host === null ? repository() : host.host.name
    const bundle = { place: where, kind: place.folder, run_id: place.run_id }
    sightings.note(bundle, found.verification.state)
    return { ...found, ...sightings.of(bundle) }
  }

  /** @throws {Problem} `not_found`; `body_too_large` for a file that the host does not give out */
  async read(place: EvidencePlace, path: string): Promise<EvidenceContent> {
    if (place.side === 'laptop') {
      const { bytes, size } = readHead(insideFolder(this.#shipOf(place), path), maxShownFileBytes)
      return { base64: bytes.toString('base64'), size, truncated: size > bytes.length }
    }
    const { bytes, truncated } = await this.#options
      .host()
      .client.readArtifact(`${place.folder}/${place.run_id}/${path}`, maxShownFileBytes)
    const size = truncated ? null : bytes.length
    return { base64: Buffer.from(bytes).toString('base64'), size, truncated }
  }

  /** @throws {Problem} `not_found`: the laptop has bundles of ships only */
  #shipOf({ folder, run_id }: EvidencePlace): string {
    if (folder !== 'ship')
      throw new Problem('not_found', `The files of ${folder} ${run_id} are on the host only.`)
    return shipFolder(this.#options.repository(), run_id)
  }

  async #laptop(place: EvidencePlace): Promise<Evidence> {
    const folder = this.#shipOf(place)
    if (sizeOf(folder) === null)
      throw new Problem('not_found', `This laptop has no files of ship ${place.run_id}.`)
    const verification = await this.#options.verify(folder)
    const files = await readBundleFiles(folder)
    const sizes = new Map<string, number>()
    const digests = new Map<string, string>()
    for (const name of [manifestName, tombstoneName]) {
      const size = sizeOf(join(folder, name))
      if (size !== null) sizes.set(name, size)
    }
    for (const file of files) {
      sizes.set(file.path, file.ok ? file.size : 0)
      if (file.ok) digests.set(file.path, file.sha256)
    }
    return composeEvidence({ manifest: manifestIn(folder), sizes, digests, verification })
  }
}

/** null when there is none, or it is not a manifest any more; the verification says so. */
function manifestIn(folder: string): Manifest | null {
  try {
    return readJson(join(folder, manifestName), manifest, 'proof_broken') ?? null
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}

/** Bytes; null when there is nothing. */
function sizeOf(path: string): number | null {
  try {
    return lstatSync(path).size
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}
