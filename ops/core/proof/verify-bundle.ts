import { basename, dirname, join } from 'node:path'
import {
  bundleKind,
  manifestName,
  tombstoneName,
  type BundleKind,
  type BundleVerification,
  type ProofProblem,
  type ProofProblemCode,
} from '#shared/proof'
import { statementFile } from '#shared/statement'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import { readBundleFiles, type FoundFile, type ReadOptions } from './bundle-files.ts'
import { checkBundle } from './check-bundle.ts'
import { readDocument } from './manifest-text.ts'
import { noteInto, parseManifest } from './read-manifest.ts'
import { messageOf } from '#shared/system-error'
import { sha256Of } from '#ops/base/sha256'

/** What the path of a bundle says it is: `…/artifacts/<kind>/<run_id>`. */
export const kindOf = (dir: string): BundleKind | null =>
  bundleKind.safeParse(basename(dirname(dir))).data ?? null

/**
 * Is the bundle in this folder what was sealed? Reads every byte of each file that has the size of its manifest. Never
 * throws for a bad bundle.
 *
 * @param dir `…/artifacts/<kind>/<run_id>`
 * @param keys whose signatures count; without any a sound bundle is `unverified`
 * @param contents false: only the manifest is checked, for its number in the chain; default true
 */
export async function verifyBundle(
  dir: string,
  { keys, contents = true }: { readonly keys: TrustedKeys; readonly contents?: boolean },
): Promise<BundleVerification> {
  const runId = basename(dir)
  const problems: ProofProblem[] = []
  const note = noteInto(problems, runId)
  const read = (name: string, code: ProofProblemCode): string | null => {
    try {
      return readDocument(join(dir, name))
    } catch (error) {
      note(code, messageOf(error), name)
      return null
    }
  }
  const manifestText = read(manifestName, 'manifest_unreadable')
  const tombstoneText = read(tombstoneName, 'tombstone_invalid')
  const statementText = contents ? read(statementFile('files'), 'statement_mismatch') : null
  let files: FoundFile[] | null = null
  if (contents)
    try {
      files = await readBundleFiles(dir, sealedSizes(manifestText, keys))
    } catch (error) {
      note('folder_unreadable', messageOf(error))
    }
  return checkBundle(
    { runId, kind: kindOf(dir), manifestText, tombstoneText, statementText, files, problems },
    keys,
  )
}

/** Bytes that are read of a bundle whose manifest no trusted key has signed: anybody may have named its sizes. */
const untrustedBytes = 256 * 1024 * 1024

/** The sizes that a manifest names; none when there is no manifest to compare a file with. */
function sealedSizes(manifestText: string | null, keys: TrustedKeys): ReadOptions {
  let trusted = true
  const manifest =
    manifestText === null
      ? null
      : parseManifest(manifestText, keys, () => {
          trusted = false
        })
  const sizes = new Map((manifest?.files ?? []).map(({ path, size }) => [path, size]))
  return trusted ? { sizes } : { sizes, room: { left: untrustedBytes } }
}

/**
 * The same for a bundle that is in memory: an upload before it is stored.
 * @param bundle `files`: content by path, `/` between parts
 */
export function verifyFiles(
  {
    kind,
    runId,
    files,
  }: {
    readonly kind: BundleKind
    readonly runId: string
    readonly files: ReadonlyMap<string, Uint8Array>
  },
  keys: TrustedKeys,
): BundleVerification {
  const problems: ProofProblem[] = []
  const note = noteInto(problems, runId)
  const text = (name: string, code: ProofProblemCode): string | null => {
    const bytes = files.get(name)
    if (bytes === undefined) return null
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      note(code, 'it is not UTF-8', name)
      return null
    }
  }
  const found = [...files]
    .filter(([path]) => path !== manifestName && path !== tombstoneName)
    .map(([path, bytes]): FoundFile => ({
      ok: true,
      path,
      size: bytes.length,
      sha256: sha256Of(bytes),
    }))
  return checkBundle(
    {
      runId,
      kind,
      manifestText: text(manifestName, 'manifest_unreadable'),
      tombstoneText: text(tombstoneName, 'tombstone_invalid'),
      statementText: text(statementFile('files'), 'statement_mismatch'),
      files: found,
      problems,
    },
    keys,
  )
}
