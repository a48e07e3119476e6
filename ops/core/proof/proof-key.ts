import { existsSync } from 'node:fs'
import { z } from 'zod'
import { Problem } from '#shared/errors'
import { keyId, trustedKey, type TrustedKey } from '#shared/signature'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { fileKeyStore, loadOrCreateKey, type KeyStore } from '#ops/core/trust/key-store'
import { inheritedShipKeyStore } from '#ops/core/trust/inherited-ship-key'
import { toTrustedKey, type SigningKey } from '#ops/core/trust/signing-key'
import type { LaptopProofPaths, ProofPaths } from '#ops/base/paths/proof-paths'

const keptElsewhere = z.strictObject({ schema_version: z.literal(1), id: keyId })
/** Id of the ship key that is in the system's keystore; null when none is. @throws {Problem} `config_invalid` */
export const readKeptElsewhere = ({ inKeystoreFile }: LaptopProofPaths): string | null =>
  readJson(inKeystoreFile, keptElsewhere, 'config_invalid')?.id ?? null

/**
 * The key that HQ handed over, else the file.
 * @throws {Problem} `ship_key_locked` when the key is in the keystore: a second one is never made
 */
function defaultStore(paths: ProofPaths | LaptopProofPaths): KeyStore {
  if (!('inKeystoreFile' in paths)) return fileKeyStore(paths.keyFile)
  const given = inheritedShipKeyStore()
  if (given !== null) return given
  const id = existsSync(paths.keyFile) ? null : readKeptElsewhere(paths)
  if (id !== null)
    throw new Problem(
      'ship_key_locked',
      `The ship key ${id} is in the keystore of this system, which only HQ opens. Nothing was shipped.`,
    )
  return fileKeyStore(paths.keyFile)
}

/**
 * The signing key of this side, made on first use, its public half put where the other side can read it.
 * @param store where the private half is kept; default: what HQ handed over, else the file of `paths`
 * @throws {Problem} `config_invalid` when the key is unusable or its public file cannot be read; `ship_key_locked`
 */
export async function proofKey(
  paths: ProofPaths,
  store: KeyStore = defaultStore(paths),
): Promise<SigningKey> {
  const key = await loadOrCreateKey(store)
  if (readProofPublicKey(paths)?.id !== key.id) writeJson(paths.publicKeyFile, toTrustedKey(key))
  return key
}

/** @returns null before the key was first used @throws {Problem} `config_invalid` */
export const readProofPublicKey = ({ publicKeyFile }: ProofPaths): TrustedKey | null =>
  readJson(publicKeyFile, trustedKey, 'config_invalid') ?? null
