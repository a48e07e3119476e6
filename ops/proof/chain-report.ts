import { join } from 'node:path'
import { manifest, manifestName, type BundleKind, type ChainReport } from '#shared/proof'
import { readChainHead, settle } from './chain-head.ts'
import { readDocument } from './manifest-text.ts'
import { bundleFolders } from './verify-chain.ts'

/** Most manifests in one report. */
const maxManifests = 50

/** Cheap look at one manifest: enough to place it in the chain. Whether it is sound is for the reader to check. */
function peek(dir: string, chain: string): { counter: number; text: string } | null {
  try {
    const text = readDocument(join(dir, manifestName))
    const document = manifest.safeParse(JSON.parse(text ?? 'null')).data
    return text !== null && document?.chain === chain ? { counter: document.counter, text } : null
  } catch {
    return null // unreadable: the gap it leaves is what the witness alarms about
  }
}

/**
 * What this side says of its chain, for a witness: state, and manifests from number `after + 1` on, oldest first, at most 50.
 * Reads the newest folders only, as far back as needed.
 *
 * @param after number the witness has; without it only the newest manifest is given
 * @returns null when nothing was ever sealed
 * @throws {Problem} `proof_chain_unreadable`
 */
export function chainReport(root: string, chainFile: string, kinds: readonly BundleKind[], after?: number): ChainReport | null {
  const stored = readChainHead(chainFile)
  if (stored === null) return null
  const { chain, counter, head } = settle(stored)
  if (counter === 0 || head === null) return null
  const from = after ?? counter - 1
  const until = Math.min(counter, from + maxManifests)
  const wanted = new Map<number, string>()
  for (const dir of bundleFolders(root, kinds).toReversed()) {
    if (wanted.size >= until - from) break
    const found = peek(dir, chain)
    if (found !== null && found.counter > from && found.counter <= until) wanted.set(found.counter, found.text)
  }
  return { chain, counter, head, manifests: [...wanted].toSorted(([a], [b]) => a - b).map(([, text]) => text) }
}
