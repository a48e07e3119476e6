import { isDeepStrictEqual } from 'node:util'
import type {
  BundleKind,
  BundleVerification,
  Manifest,
  ProofProblem,
  ProvenFile,
} from '#shared/proof'
import { stateOf } from '#shared/proof'
import { statementFile } from '#shared/statement'
import { sha256Of } from '#ops/base/sha256'
import { openEnvelope } from '#ops/core/trust/envelope'
import type { TrustedKeys } from '#ops/core/trust/trusted-keys'
import type { FoundFile } from './bundle-files.ts'
import { filesStatement } from './bundle-statements.ts'
import { noteInto, parseManifest, parseTombstone, type Note } from './read-manifest.ts'

/** A bundle as it was read, from a folder or from an upload. */
export interface ReadBundle {
  readonly runId: string
  /** What its path says it is; null when the path does not say. */
  readonly kind: BundleKind | null
  /** null: there is none. */
  readonly manifestText: string | null
  readonly tombstoneText: string | null
  /** The envelope of the statement about the files; null: there is none. */
  readonly statementText: string | null
  /** null: they were not read, only the manifest is checked. */
  readonly files: readonly FoundFile[] | null
  /** What could not be read at all. */
  readonly problems?: readonly ProofProblem[]
}

/** Is this bundle what was sealed? Never throws: everything that is wrong is named in `problems`. */
export function checkBundle(bundle: ReadBundle, keys: TrustedKeys): BundleVerification {
  const problems: ProofProblem[] = [...(bundle.problems ?? [])]
  const note = noteInto(problems, bundle.runId)
  let manifest: Manifest | null = null
  let pruned = 0
  if (bundle.manifestText === null) {
    if (problems.length === 0) note('not_sealed', 'it has no manifest.json')
  } else {
    manifest = parseManifest(bundle.manifestText, keys, note)
    if (manifest !== null) {
      if (manifest.run_id !== bundle.runId)
        note('run_mismatch', `its manifest is of run ${manifest.run_id}`, 'manifest.json')
      if (bundle.kind !== null && manifest.kind !== bundle.kind)
        note(
          'kind_mismatch',
          `its manifest is of a ${manifest.kind}, not of a ${bundle.kind}`,
          'manifest.json',
        )
      if (bundle.statementText !== null) {
        const why = contradiction(manifest, bundle.statementText, keys)
        if (why !== null) note('statement_mismatch', why, statementFile('files'))
      }
      if (bundle.files !== null)
        pruned = compareFiles(manifest, bundle.files, {
          absentByLaw: accountedFor(manifest, bundle, { keys, note }),
          note,
        })
    }
  }
  return {
    kind: bundle.kind ?? manifest?.kind ?? null,
    run_id: bundle.runId,
    state: stateOf(problems),
    problems,
    chain: manifest?.chain ?? null,
    counter: manifest?.counter ?? null,
    previous: manifest?.previous ?? null,
    manifest_sha256: bundle.manifestText === null ? null : sha256Of(bundle.manifestText),
    key_id: manifest?.signature.key_id ?? null,
    created_at: manifest?.created_at ?? null,
    files: manifest?.files.length ?? bundle.files?.length ?? 0,
    pruned,
  }
}

/** @returns how many missing files the tombstone accounts for */
function compareFiles(
  manifest: Manifest,
  files: readonly FoundFile[],
  { absentByLaw, note }: { absentByLaw: ReadonlySet<string>; note: Note },
): number {
  const found = new Map(files.map((file) => [file.path, file]))
  let pruned = 0
  const named = new Set<string>()
  for (const expected of manifest.files) {
    if (named.has(expected.path)) note('manifest_off_schema', 'it is listed twice', expected.path)
    named.add(expected.path)
    const file = found.get(expected.path)
    if (file === undefined) {
      if (absentByLaw.has(expected.path)) pruned += 1
      else note('file_missing', `it had ${expected.size} bytes`, expected.path)
      continue
    }
    const size = file.ok ? file.size : file.unreadSize
    if (size !== undefined && size !== expected.size)
      note('file_size', `it has ${size} bytes, not ${expected.size}`, expected.path)
    else if (!file.ok && size !== undefined)
      // The manifest itself is noted already: this names what its check leaves open.
      note('no_key_enrolled', `${file.reason}: no trusted key vouches for its size`, expected.path)
    else if (!file.ok) note('file_not_regular', file.reason, expected.path)
    else if (file.sha256 !== expected.sha256)
      note('file_digest', 'its content differs from what was sealed', expected.path)
  }
  for (const { path } of files)
    if (!named.has(path)) note('file_extra', 'it was not there when the bundle was sealed', path)
  return pruned
}

/** Paths that a sound tombstone of this very manifest lists. */
function accountedFor(
  manifest: Manifest,
  bundle: ReadBundle,
  { keys, note }: { keys: TrustedKeys; note: Note },
): ReadonlySet<string> {
  if (bundle.tombstoneText === null || bundle.manifestText === null) return new Set()
  const tombstone = parseTombstone(bundle.tombstoneText, keys, note)
  if (tombstone === null) return new Set()
  const wrong = (why: string): ReadonlySet<string> => {
    note('tombstone_invalid', why, 'tombstone.json')
    return new Set()
  }
  if (
    tombstone.run_id !== manifest.run_id ||
    tombstone.manifest_sha256 !== sha256Of(bundle.manifestText)
  )
    return wrong('it belongs to another bundle')
  if (tombstone.signature.key_id !== manifest.signature.key_id)
    return wrong('it is signed with another key than the manifest')
  const listed = new Map(manifest.files.map((file): [string, ProvenFile] => [file.path, file]))
  for (const { path, size, sha256 } of tombstone.files) {
    const file = listed.get(path)
    if (file?.size !== size || file.sha256 !== sha256)
      return wrong(`it lists ${path} with another size or digest than the manifest`)
  }
  return new Set(tombstone.files.map(({ path }) => path))
}

/** Why the statement about the files is not what the sealing of this manifest wrote; null: it is. */
function contradiction(manifest: Manifest, text: string, keys: TrustedKeys): string | null {
  const opened = openEnvelope(text, keys)
  if (opened.state === 'invalid') return opened.why
  const { signature, ...content } = manifest
  if (opened.keyId !== signature.key_id) return 'it is signed with another key than the manifest'
  const files = content.files.filter(({ path }) => path !== statementFile('files'))
  return isDeepStrictEqual(opened.statement, filesStatement({ ...content, files }))
    ? null
    : 'it says something else than the manifest'
}
