/** Addresses of files of a run: `/proofs/<side>/<folder>/<run id>/<path>`. */
import { evidenceHref, evidencePlace, type EvidencePlace } from '#shared/evidence'

export interface EvidenceAddress {
  readonly place: EvidencePlace
  /** null: no file is named. */
  readonly path: string | null
}

/** A file of a proof: of the laptop's own bundle, or of the host by its path below `artifacts/`. */
export interface FileRef {
  readonly source: 'ship' | 'host'
  readonly runId: string
  readonly path: string
}

/** @param rest the address after `/proofs/` @returns null when it names no run */
export function evidenceAddress(rest: string): EvidenceAddress | null {
  const [side, folder, run_id, ...names] = rest.split('/').map(decoded)
  const place = evidencePlace.safeParse({ side, folder, run_id })
  if (!place.success) return null
  const path = names.filter((name) => name !== '').join('/')
  return { place: place.data, path: path === '' ? null : path }
}

export function hrefOfFile({ source, runId, path }: FileRef): string {
  if (source === 'ship')
    return evidenceHref({ side: 'laptop', folder: 'ship', run_id: runId }, path)
  return evidenceAddress(`host/${path}`) === null
    ? '/proofs'
    : `/proofs/host/${path.split('/').map(encodeURIComponent).join('/')}`
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part // a lone % that somebody typed
  }
}
