import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { hostKeys, type TrustedKey } from '#shared/signature'
import type { BundleKind, ChainHead } from '#shared/proof'
import { trustedShipKeys } from '#ops/core/trust/enrolled-keys'
import { readJson } from '#ops/base/files/json-file'
import { trustKeys, type TrustedKeys } from '#ops/core/trust/trusted-keys'
import type { HostPaths } from '#ops/base/paths/paths'
import { readChainHead } from './chain-head.ts'
import { readProofPublicKey } from './proof-key.ts'
import {
  hostKeysFile,
  hostProofPaths,
  laptopProofPaths,
  type ProofPaths,
} from '#ops/base/paths/proof-paths'
import { rememberedBy, type Remembered } from './verify-chain.ts'
import { allWitnesses } from './witness.ts'

export interface VerifierPaths {
  readonly host: HostPaths
  /** `hqHome(env)` */ readonly home: string
}

/** Keys by what they may sign: a deploy key never speaks for a ship, nor a ship key for a host. */
export interface KnownKeys {
  /** Keys of laptops: of trust.json, and of this one. They sign ship bundles and verdicts. */
  readonly ship: TrustedKeys
  /** Keys of hosts: of this one, and of those this laptop is enrolled with. */
  readonly host: TrustedKeys
}

/**
 * Every key that this machine trusts.
 * @throws {Problem} `config_invalid` when one of the files is damaged: then nothing is trusted
 */
export function knownKeys({ host, home }: VerifierPaths): KnownKeys {
  const enrolled = trustedShipKeys(host)
  const hosts = readJson(hostKeysFile(home), hostKeys, 'config_invalid')?.keys ?? []
  const own = (paths: ProofPaths): TrustedKey[] => {
    const key = readProofPublicKey(paths)
    return key === null ? [] : [key]
  }
  return {
    ship: new Map([
      ...trustKeys(enrolled, host.trustFile),
      ...trustKeys(own(laptopProofPaths(home, '')), 'the ship key of this machine'),
    ]),
    host: new Map([
      ...trustKeys(hosts, hostKeysFile(home)),
      ...trustKeys(own(hostProofPaths(host)), 'the deploy key of this machine'),
    ]),
  }
}

/** The keys that may sign a bundle of this kind. @param kind null when its path does not say: then any may */
export function keysFor(kind: BundleKind | null, { ship, host }: KnownKeys): TrustedKeys {
  if (kind === null) return new Map([...ship, ...host])
  return kind === 'ship' ? ship : host
}

/**
 * What this machine remembers of the chains below an artifacts folder: the chain file of the side it belongs to, which
 * must agree whatever is there, and HQ's witness where one of the chains seen there is known to it.
 */
export function knownPoints(
  { host, home }: VerifierPaths,
  root: string,
  chainsThere: ReadonlySet<string>,
): Remembered[] {
  const own: Remembered[] = []
  const add = (file: string): void => {
    const head: ChainHead | null = readChainHead(file)
    if (head !== null) own.push(...rememberedBy(head, file))
  }
  if (isSame(root, host.artifacts)) add(hostProofPaths(host).chainFile)
  if (existsSync(root)) add(laptopProofPaths(home, join(realpathSync(root), '..')).chainFile)
  const witnessed = allWitnesses(home)
    .filter(({ chain }) => chainsThere.has(chain))
    .map(({ chain, counter, head, host: name }) => ({
      chain,
      counter,
      head,
      by: `HQ's witness of ${name}`,
    }))
  return [...own, ...witnessed]
}

const isSame = (a: string, b: string): boolean =>
  existsSync(a) && existsSync(b) && realpathSync(a) === realpathSync(b)
