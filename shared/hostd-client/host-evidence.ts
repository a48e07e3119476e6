/** The files of a run as the host has them. Used by the operator and, in the console, by the page itself. */
import { Problem } from '../errors.ts'
import {
  composeEvidence,
  maxShownFileBytes,
  type Evidence,
  type EvidencePlace,
} from '../evidence.ts'
import { manifest, manifestName, type BundleVerification, type Manifest } from '../proof.ts'
import type { HostdClient } from './client.ts'

/** Folders that are listed below one bundle; attempts and repairs are few. */
const maxFolders = 60
/** Changed files whose digest is computed. */
const maxDigests = 20

/** @throws {Problem} `not_found` when the host has no such folder, and what the client throws */
export async function hostEvidence(
  client: HostdClient,
  { folder, run_id }: Pick<EvidencePlace, 'folder' | 'run_id'>,
): Promise<Evidence> {
  const base = `${folder}/${run_id}`
  const sizes = await listFiles(client, base)
  if (folder === 'runs')
    return composeEvidence({ manifest: null, sizes, digests: new Map(), verification: null })
  const { bundles } = await client.proofBundles({
    cursor: idAfter(run_id),
    kind: folder,
    limit: 50,
  })
  const verification = bundles.find((bundle) => bundle.run_id === run_id) ?? null
  const sealed = sizes.has(manifestName) ? await readManifest(client, base) : null
  const digests = await digestsOf(client, { base, sizes, verification })
  return composeEvidence({ manifest: sealed, sizes, digests, verification })
}

async function listFiles(client: HostdClient, base: string): Promise<Map<string, number>> {
  const sizes = new Map<string, number>()
  const folders = ['']
  for (let at = 0; at < folders.length && at < maxFolders; at += 1) {
    const inner = folders[at] ?? ''
    const { entries } = await client.listArtifacts(`${base}/${inner}`)
    for (const { name, type, size } of entries) {
      if (type === 'directory') folders.push(`${inner}${name}/`)
      else sizes.set(`${inner}${name}`, size ?? 0)
    }
  }
  return sizes
}

/** null when it is not a manifest any more; the verification says so. */
async function readManifest(client: HostdClient, base: string): Promise<Manifest | null> {
  const { bytes } = await client.readArtifact(`${base}/${manifestName}`, maxShownFileBytes)
  try {
    return manifest.safeParse(JSON.parse(new TextDecoder().decode(bytes))).data ?? null
  } catch {
    return null
  }
}

interface Changed {
  readonly base: string
  readonly sizes: ReadonlyMap<string, number>
  readonly verification: BundleVerification | null
}

async function digestsOf(
  client: HostdClient,
  { base, sizes, verification }: Changed,
): Promise<Map<string, string>> {
  const digests = new Map<string, string>()
  const changed = (verification?.problems ?? []).flatMap(({ file }) =>
    file !== null && sizes.has(file) ? [file] : [],
  )
  // A page that is not from a secure origin has no digests; then only the sealed one is shown.
  const { subtle } = globalThis.crypto as { readonly subtle?: typeof crypto.subtle }
  if (subtle === undefined) return digests
  for (const path of [...new Set(changed)].slice(0, maxDigests)) {
    try {
      const { bytes, truncated } = await client.readArtifact(`${base}/${path}`, maxShownFileBytes)
      if (!truncated) digests.set(path, hex(await subtle.digest('SHA-256', bytes)))
    } catch (error) {
      // The host gives out no file of this size, or it is gone by now; the other files are shown.
      if (!(error instanceof Problem)) throw error
    }
  }
  return digests
}

const hex = (digest: ArrayBuffer): string =>
  [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')

/** A cursor that starts the list at this run. Undefined for the last id of its second: then the list starts anywhere. */
function idAfter(runId: string): string | undefined {
  const number = Number.parseInt(runId.slice(-8), 16)
  return number === 0xffffffff
    ? undefined
    : `${runId.slice(0, -8)}${(number + 1).toString(16).padStart(8, '0')}`
}
