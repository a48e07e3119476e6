import { statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import {
  manifest,
  manifestName,
  maxChainLinks,
  tombstoneName,
  type BundleKind,
  type ChainLink,
  type ChainReport,
  type Manifest,
} from '#shared/proof'
import { readChainHead, resolvePending } from './chain-head.ts'
import { readDocument } from './manifest-text.ts'
import { bundleFolders } from './verify-chain.ts'
import { sha256Of } from '#ops/base/sha256'

/** Most characters of manifests and tombstones in one report; one link is given however long it is. */
const maxPageCharacters = 2 * 1024 * 1024
/** Folders that are read before other work gets a turn. */
const folderBatch = 100

/** Where the bundle of a folder stands; null when it has no manifest that can be read. */
type Standing = { readonly chain: string; readonly counter: number } | null

/** Says what this side has of its chain, from number `after + 1` on. @returns null when nothing was ever sealed */
export type ChainReader = (after: number) => Promise<ChainReport | null>

/** Enough of one manifest to find its number in the chain. The reader of the report checks whether it is sound. */
function readManifest(dir: string): { text: string; document: Manifest } | null {
  try {
    const text = readDocument(join(dir, manifestName))
    const document = manifest.safeParse(JSON.parse(text ?? 'null')).data
    return text === null || document === undefined ? null : { text, document }
  } catch {
    return null // unreadable: the gap it leaves is what the witness alarms about
  }
}

function readTombstone(dir: string): string | null {
  try {
    return readDocument(join(dir, tombstoneName))
  } catch {
    return '' // there and unreadable: it accounts for nothing, and the witness says so
  }
}

/**
 * Reads a chain for a witness. Remembers which folder holds which number, so that another report costs one small file
 * while nothing was sealed, and a listing and the new bundles otherwise. What is given is read from the disk each time.
 *
 * @throws {Problem} `proof_chain_unreadable`
 */
export function chainReader(
  root: string,
  chainFile: string,
  kinds: readonly BundleKind[],
): ChainReader {
  const known = new Map<string, { readonly stamp: string; readonly standing: Standing }>()

  const standingOf = (dir: string): Standing => {
    const before = known.get(dir)
    // A sealed manifest does not move; a folder without one gets another date when it is sealed.
    if (before !== undefined && before.standing !== null) return before.standing
    const stamp = String(statSync(dir, { throwIfNoEntry: false, bigint: true })?.ctimeNs)
    if (before?.stamp === stamp) return null
    const found = readManifest(dir)
    const standing =
      found === null ? null : { chain: found.document.chain, counter: found.document.counter }
    known.set(dir, { stamp, standing })
    return standing
  }
  const linkOf = (dir: string): ChainLink | null => {
    const found = readManifest(dir)
    if (found === null) return null
    const { counter, kind, run_id } = found.document
    return {
      counter,
      kind,
      run_id,
      manifest_sha256: sha256Of(found.text),
      manifest: found.text,
      tombstone: readTombstone(dir),
    }
  }
  const foldersOf = async (chain: string, from: number, until: number): Promise<string[]> => {
    const folders = bundleFolders(root, kinds)
    const there = new Set(folders)
    for (const dir of known.keys()) if (!there.has(dir)) known.delete(dir)
    const wanted: { dir: string; counter: number }[] = []
    for (const [at, dir] of folders.entries()) {
      if (at % folderBatch === folderBatch - 1) await turn()
      const standing = standingOf(dir)
      if (standing?.chain === chain && standing.counter > from && standing.counter <= until)
        wanted.push({ dir, counter: standing.counter })
    }
    return wanted
      .toSorted((a, b) => a.counter - b.counter || a.dir.localeCompare(b.dir))
      .map(({ dir }) => dir)
  }

  return async (after) => {
    const stored = readChainHead(chainFile)
    if (stored === null) return null
    const { chain, counter, head } = resolvePending(stored)
    if (counter === 0 || head === null) return null
    const last = Math.min(counter, after + maxChainLinks)
    const state = { chain, counter, head }
    if (after >= counter) return { ...state, until: after, links: [] }
    const links: ChainLink[] = []
    let size = 0
    for (const dir of await foldersOf(chain, after, last)) {
      const link = linkOf(dir)
      // Another bundle was put there since: what it says now is not at this number of the chain.
      if (link === null || link.run_id !== basename(dir) || links.length >= maxChainLinks) continue
      size += link.manifest.length + (link.tombstone?.length ?? 0)
      if (links.length > 0 && size > maxPageCharacters)
        return { ...state, until: links.at(-1)?.counter ?? after, links }
      links.push(link)
    }
    return { ...state, until: last, links }
  }
}
