import { join } from 'node:path'
import type { HostPaths } from './paths.ts'
import { sha256Of } from '#ops/base/sha256'

/**
 * Where one side keeps its signing key and how far its chain has come. Never below the artifacts: they may be
 * restored.
 */
export interface ProofPaths {
  readonly keyFile: string
  /** The public half, readable for all: what the other side enrols. */ readonly publicKeyFile: string
  readonly chainFile: string
}

/** A laptop's, whose key may be in the keystore of its system. */
export interface LaptopProofPaths extends ProofPaths {
  /** Names the key that is in the keystore instead of `keyFile`. */ readonly inKeystoreFile: string
}

/** A host: one deploy key, one chain for deploy, dod, doctor and phase0. */
export const hostProofPaths = ({ etc, state }: Pick<HostPaths, 'etc' | 'state'>): ProofPaths => ({
  keyFile: join(etc, 'keys', 'deploy_key.pem'),
  publicKeyFile: join(state, 'proof', 'deploy_key.json'),
  chainFile: join(state, 'proof', 'chain.json'),
})

/**
 * A laptop: one ship key, one chain for each repository.
 * @param home `hqHome(env)`
 * @param repository real path of its root
 */
export function laptopProofPaths(home: string, repository: string): LaptopProofPaths {
  const name = sha256Of(repository).slice(0, 16)
  return {
    keyFile: join(home, 'keys', 'ship_key.pem'),
    inKeystoreFile: join(home, 'keys', 'ship_key.in_keystore.json'),
    publicKeyFile: join(home, 'ship_key.json'),
    chainFile: join(home, 'chains', `${name}.json`),
  }
}

/** Deploy keys of the hosts a laptop is enrolled with. */
export const hostKeysFile = (home: string): string => join(home, 'host_keys.json')
export const witnessFolder = (home: string): string => join(home, 'witness')

/** Host names are shown to people and come from people: a safe file name, one per host, whatever is in the name. */
export function witnessName(host: string): string {
  const readable = host.replace(/[^A-Za-z0-9-]/g, '_').slice(0, 40)
  return readable === host ? host : `${readable}-${sha256Of(host).slice(0, 8)}`
}
