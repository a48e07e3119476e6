import { basename, join, resolve } from 'node:path'
import { Problem } from '#shared/errors'
import { messageOf } from '#shared/system-error'
import { sha256Of } from '#ops/base/sha256'
import {
  manifest as manifestSchema,
  manifestName,
  tombstoneName,
  type BundleKind,
  type ChainHead,
  type Manifest,
  type ProvenFile,
} from '#shared/proof'
import { statementFile, statementFiles } from '#shared/statement'
import { writeWhole } from '#ops/base/files/json-file'
import { signDocument } from '#ops/core/trust/signed-document'
import { signStatement } from '#ops/core/trust/envelope'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { toTrustedKey } from '#ops/core/trust/signing-key'
import { redactFolder } from '#ops/base/redact/redact-files'
import { redact, redactSource } from '#ops/base/redact/redaction'
import { readBundleFiles } from './bundle-files.ts'
import { filesStatement, leaveDeployStatements, type ManifestContent } from './bundle-statements.ts'
import { currentChain, withChain, writeChainHead } from './chain-head.ts'
import { documentText, readDocument } from './manifest-text.ts'
import { verifyBundle } from './verify-bundle.ts'

export interface SealRequest {
  /** Folder of the bundle, `…/artifacts/<kind>/<run_id>`. Nothing writes there any more. */
  readonly dir: string
  readonly kind: BundleKind
  readonly runId: string
  /** Where the chain of this side stands (`proofPlaces`). */
  readonly chainFile: string
  readonly key: SigningKey
  readonly gitHead: string | null
  readonly gitTree: string | null
  /** Defaults to the present. */
  readonly now?: Date
}

export interface Sealed {
  readonly state: 'sealed' | 'unchanged'
  readonly manifest: Manifest
  readonly manifestSha256: string
  /** Files that something secret was taken out of at the last moment. */ readonly redacted: readonly string[]
}

/** Signed by themselves, and pushed to the byte: what is in them was redacted before it was signed. */
const signedFiles = new Set([manifestName, tombstoneName, 'verdict.json', ...statementFiles])
/** Copies of source. */
const sourceFiles = new Set(['diff.patch', 'unproven.patch', 'review_prompt.txt'])

/**
 * Seals a bundle: writes its manifest.json with every file's digest, signed, as the next link of the chain. Sealing
 * the same run again changes nothing. Killed at any point, it leaves a bundle that is not sealed, and may be
 * sealed again, or one that is.
 *
 * Order: secrets are redacted, statements are written, files are made durable, the chain file names what is about to be
 * written, the manifest is written, the chain file moves on.
 *
 * @throws {Problem} `proof_broken` when the folder cannot be sealed as it is or was sealed and changed since;
 *   `proof_busy`; `proof_chain_unreadable`; `disk_full`. Nothing is overwritten then.
 */
export function sealBundle(request: SealRequest): Promise<Sealed> {
  const dir = resolve(request.dir)
  if (basename(dir) !== request.runId)
    throw new RangeError(`the folder of run ${request.runId} cannot be ${dir}`)
  return withChain(request.chainFile, async () => {
    const chain = currentChain(request.chainFile, request.key.id)
    if (readManifestText(dir) !== null) return alreadySealed(dir, request, chain)
    const redacted = await redactFolder(dir, (name) => {
      if (signedFiles.has(name)) return null
      return sourceFiles.has(name) ? redactSource : redact
    })
    if (request.kind === 'deploy') leaveDeployStatements(dir, request.key)
    const content = await withFilesStatement(dir, await describe(dir, request, chain), request.key)
    const manifest = signDocument('manifest', content, request.key)
    manifestSchema.parse(manifest)
    const text = documentText(manifest)
    const manifestSha256 = sha256Of(text)
    const { counter } = manifest
    writeChainHead(request.chainFile, {
      ...chain,
      pending: { dir, counter, manifest_sha256: manifestSha256 },
    })
    writeWhole(join(dir, manifestName), text)
    writeChainHead(request.chainFile, { ...chain, counter, head: manifestSha256, pending: null })
    return { state: 'sealed', manifest, manifestSha256, redacted }
  })
}

const refuse = (dir: string, why: string, evidence: readonly string[] = []): Problem =>
  new Problem('proof_broken', `${dir} was not sealed: ${why}. Nothing was changed.`, { evidence })

function readManifestText(dir: string): string | null {
  try {
    return readDocument(join(dir, manifestName))
  } catch (error) {
    throw refuse(dir, `manifest.json is there and cannot be read: ${messageOf(error)}`)
  }
}

/**
 * Adds the statement about the files, itself a file of the bundle: the manifest lists it as well. So the chain and its
 * readers stay as they are, and an older HQ verifies the bundle.
 */
async function withFilesStatement(
  dir: string,
  content: ManifestContent,
  key: SigningKey,
): Promise<ManifestContent> {
  const path = statementFile('files')
  const others = content.files.filter((file) => file.path !== path) // one of a seal that was cut short
  const text = signStatement(filesStatement({ ...content, files: others }), key)
  writeWhole(join(dir, path), text)
  const file = { path, size: Buffer.byteLength(text), sha256: sha256Of(text) }
  const files = [...others, file].toSorted((a, b) => (a.path < b.path ? -1 : 1))
  return { ...content, files }
}

async function describe(
  dir: string,
  { kind, runId, gitHead, gitTree, now = new Date() }: SealRequest,
  chain: ChainHead,
): Promise<ManifestContent> {
  const found = await readBundleFiles(dir, { durable: true })
  const files: ProvenFile[] = []
  for (const file of found) {
    if (!file.ok) throw refuse(dir, `${file.path} cannot be part of a proof: ${file.reason}`)
    files.push({ path: file.path, size: file.size, sha256: file.sha256 })
  }
  if (files.length === 0) throw refuse(dir, 'there is no file in it')
  if (readDocument(join(dir, tombstoneName)) !== null)
    throw refuse(dir, 'tombstone.json is there already')
  return {
    type: 'openclaw.manifest',
    schema_version: 1,
    kind,
    run_id: runId,
    git_head: gitHead,
    git_tree: gitTree,
    created_at: now.toISOString(),
    chain: chain.chain,
    counter: chain.counter + 1,
    previous: chain.head,
    files,
  }
}

/** A bundle with a manifest is only ever confirmed, never sealed over. */
async function alreadySealed(
  dir: string,
  { kind, key, chainFile }: SealRequest,
  chain: ChainHead,
): Promise<Sealed> {
  const checked = await verifyBundle(dir, {
    keys: trustKeys([toTrustedKey(key)], 'the signing key'),
  })
  if (checked.state !== 'verified' || checked.kind !== kind) {
    throw refuse(
      dir,
      'it changed after it was sealed',
      checked.problems.map(
        ({ code, file, detail }) => `${code}${file === null ? '' : ` ${file}`}: ${detail}`,
      ),
    )
  }
  const text = readManifestText(dir)
  const manifest = manifestSchema.parse(JSON.parse(text ?? 'null'))
  if (manifest.chain === chain.chain && manifest.counter > chain.counter)
    throw refuse(dir, `it is number ${manifest.counter} of a chain that ends at ${chain.counter}`)
  // Also finishes a seal that was cut short after its manifest was in place.
  if (chain.counter > 0) writeChainHead(chainFile, chain)
  return { state: 'unchanged', manifest, manifestSha256: sha256Of(text ?? ''), redacted: [] }
}
