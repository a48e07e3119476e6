import { join } from 'node:path'
import { trustFile } from '#shared/config'
import { toProblem } from '#shared/errors'
import type { BundleKind, BundleVerification, ProofState } from '#shared/proof'
import { enrolledKeys, trustedKey, type TrustedKey } from '#shared/signature'
import { trustKeys, type TrustedKeys } from '#ops/core/trust/trusted-keys'
import type { HostPaths } from '#ops/base/paths/paths'
import { cachedVerifier } from '#ops/core/proof/cached-verify'
import { hostProofPaths } from '#ops/base/paths/proof-paths'
import type { Documents } from './documents.ts'
import type { Log } from '../log/log.ts'

/**
 * Whether the bundle of this run is what was sealed: a ship by a laptop's key of the trust file, everything else by
 * the key of this host.
 */
export type CheckBundle = (kind: BundleKind, runId: string) => Promise<BundleVerification>
export type Verify = (kind: BundleKind, runId: string) => Promise<ProofState>

/** The keys that may sign a bundle of this kind on this host. */
export type KeysOf = (kind: BundleKind) => TrustedKeys

/** @param docs reads the keys again when their file changes, so that an enrolled key counts at once */
export function bundleKeys(paths: HostPaths, docs: Documents, log: Log): KeysOf {
  const deployKey = hostProofPaths(paths).publicKeyFile
  const keysOf = (found: readonly TrustedKey[], origin: string): TrustedKeys => {
    try {
      return trustKeys(found, origin)
    } catch (error) {
      log('document_unreadable', { why: toProblem(error).message })
      return new Map() // a damaged file: no key is trusted, so nothing is shown as verified
    }
  }
  return (kind) =>
    kind === 'ship'
      ? keysOf(
          [
            ...(docs.read(paths.trustFile, trustFile)?.keys ?? []),
            ...(docs.read(paths.shipKeysFile, enrolledKeys)?.keys ?? []),
          ],
          paths.trustFile,
        )
      : keysOf(
          [docs.read(deployKey, trustedKey)].filter((key) => key !== null),
          deployKey,
        )
}

export function bundleChecker(paths: HostPaths, keysOf: KeysOf): CheckBundle {
  const ship = cachedVerifier(() => keysOf('ship'))
  const own = cachedVerifier(() => keysOf('deploy'))
  return (kind, runId) => (kind === 'ship' ? ship : own)(join(paths.artifacts, kind, runId))
}
