import { trustedKey, type TrustedKey } from '#shared/signature'
import { readJson, writeJson } from '../json-file.ts'
import { fileKeyStore, loadOrCreateKey, type KeyStore } from '../keys/key-store.ts'
import { toTrustedKey, type SigningKey } from '../keys/signing-key.ts'
import type { ProofPlaces } from './places.ts'

/**
 * The signing key of this side, made on first use, its public half put where the other side can read it.
 * @param store where the private half is kept; default: the file of `places`
 * @throws {Problem} `config_invalid` when the key is unusable or its public file names another one
 */
export async function ownKey(places: ProofPlaces, store: KeyStore = fileKeyStore(places.keyFile)): Promise<SigningKey> {
  const key = await loadOrCreateKey(store)
  if (readOwnPublicKey(places)?.id !== key.id) writeJson(places.publicKeyFile, toTrustedKey(key))
  return key
}

/** @returns null before the key was first used @throws {Problem} `config_invalid` */
export const readOwnPublicKey = ({ publicKeyFile }: ProofPlaces): TrustedKey | null => readJson(publicKeyFile, trustedKey, 'config_invalid') ?? null
