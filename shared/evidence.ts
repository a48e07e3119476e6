/** The files of a run as HQ shows them: where they lie, what was sealed, and what is there now. */
import { z } from 'zod'
import { Problem } from './errors.ts'
import { commitId, runId, sha256, timestamp } from './ids.ts'
import {
  bundleKinds,
  bundleVerification,
  manifestName,
  proofProblemCode,
  tombstoneName,
  type BundleKind,
  type BundleVerification,
  type Manifest,
} from './proof.ts'

/** Folders of `artifacts/` that hold files of runs: the sealed bundles, and the folder of the runner. */
export const evidenceFolders = [...bundleKinds, 'runs'] as const

export const evidencePlace = z.strictObject({
  side: z.enum(['laptop', 'host']),
  folder: z.enum(evidenceFolders),
  run_id: runId,
})
export type EvidencePlace = z.infer<typeof evidencePlace>

/** @throws {Problem} `nothing_to_export` for the folder of a runner: its files are never sealed */
export function sealedKind(folder: EvidencePlace['folder']): BundleKind {
  if (folder !== 'runs') return folder
  throw new Problem(
    'nothing_to_export',
    'The files of the runner are not a proof: they hold no statement. Nothing was written.',
  )
}

/** Largest part of a file that is shown or downloaded at once, bytes. */
export const maxShownFileBytes = 16 * 1024 * 1024

export const evidenceFile = z.strictObject({
  path: z.string(),
  /** Bytes that are there now; null: the file is missing. */
  size: z.number().int().nonnegative().nullable(),
  sealed: z.strictObject({ size: z.number().int().nonnegative(), sha256 }).nullable(),
  /** Digest of what is there now; null where nothing is wrong with it or it could not be read. */
  found_sha256: sha256.nullable(),
  problem: proofProblemCode.nullable(),
})
export type EvidenceFile = z.infer<typeof evidenceFile>

export const evidence = z.strictObject({
  files: z.array(evidenceFile),
  /** null: files in this folder are never sealed. */
  verification: bundleVerification.nullable(),
  /** Commit that the manifest names. */
  git_head: commitId.nullable(),
  /** When this laptop last found it whole, and since when it finds it broken; null where nobody looked. */
  whole_at: timestamp.nullable(),
  broken_at: timestamp.nullable(),
})
export type Evidence = z.infer<typeof evidence>

/** Content of a file, base64. `size`: of the whole file; null when it is not known. */
export const evidenceContent = z.strictObject({
  base64: z.string(),
  size: z.number().int().nonnegative().nullable(),
  truncated: z.boolean(),
})
export type EvidenceContent = z.infer<typeof evidenceContent>

interface Read {
  readonly manifest: Manifest | null
  /** Bytes of each file that is there. */
  readonly sizes: ReadonlyMap<string, number>
  readonly digests: ReadonlyMap<string, string>
  readonly verification: BundleVerification | null
}

/** Every file that was sealed or is there now, sorted by path. */
export function composeEvidence({ manifest, sizes, digests, verification }: Read): Evidence {
  const sealed = new Map(manifest?.files.map((file) => [file.path, file]))
  const problems = new Map(verification?.problems.map(({ file, code }) => [file, code]))
  const paths = [...new Set([...sealed.keys(), ...sizes.keys()])].toSorted()
  return {
    files: paths.map((path) => {
      const was = sealed.get(path)
      return {
        path,
        size: sizes.get(path) ?? null,
        sealed: was === undefined ? null : { size: was.size, sha256: was.sha256 },
        found_sha256: digests.get(path) ?? null,
        problem: problems.get(path) ?? null,
      }
    }),
    verification,
    git_head: manifest?.git_head ?? null,
    whole_at: null,
    broken_at: null,
  }
}

/** What the manifest cannot list: itself, and the record of what was deleted. */
export const isSealFile = (path: string): boolean => path === manifestName || path === tombstoneName

/**
 * Address in HQ of the files of a run.
 * @param path of the file; null for the run as a whole
 * @param line number to show, from 1
 */
export function evidenceHref(
  { side, folder, run_id }: EvidencePlace,
  path: string | null = null,
  line: number | null = null,
): string {
  const parts = [side, folder, run_id, ...(path === null ? [] : path.split('/'))]
  const query = line === null ? '' : `?line=${line}`
  return `/proofs/${parts.map(encodeURIComponent).join('/')}${query}`
}
