/** The proof chains that this laptop watches: the host's, and that of its own ships. */
import { realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { Problem } from '#shared/errors'
import type { ChainReport } from '#shared/proof'
import type { TrustedKey } from '#shared/signature'
import { sha256Of } from '#ops/base/sha256'
import { chainReader } from '#ops/core/proof/chain-report'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import {
  trustedHostKey,
  trustedShipKey,
  trustHostKey,
  trustShipKey,
} from '#ops/core/proof/witness-alarms'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import type { OneHost } from '../host/client.ts'

/** A chain that is watched: the host's, or the ships of this laptop. */
export interface Watched {
  /** The witness remembers it under this name. */
  readonly id: string
  readonly place: 'host' | 'laptop'
  readonly title: string
  read(
    after: number,
  ): Promise<{ readonly key: TrustedKey | null; readonly report: ChainReport | null }>
  /** The key that may sign it. null before one was learned. */
  trusted(): TrustedKey | null
  /** Called with the first key it ever shows, and with another one only when a person acknowledges that. */
  readonly trust: (key: TrustedKey) => void
}

/** How long the host may take to report its chain, in milliseconds. */
const reportMs = 15_000

/** The witness's name for the ships of a repository. @param repository real path of its root */
export const shipWitness = (repository: string): string =>
  `ships of ${basename(repository).slice(0, 40)} ${sha256Of(repository).slice(0, 16)}`

/** The ships of a repository on this laptop. @throws {Error} when the folder is not there */
export function shipChain(home: string, repository: string): Watched {
  const root = realpathSync(repository)
  const paths = laptopProofPaths(home, root)
  const read = chainReader(join(root, 'artifacts'), paths.chainFile, ['ship'])
  const id = shipWitness(root)
  return {
    id,
    place: 'laptop',
    title: `Ships of ${basename(root)}`,
    read: async (after) => ({ key: readProofPublicKey(paths), report: await read(after) }),
    trusted: () => trustedShipKey(home),
    trust: (key) => trustShipKey(home, key),
  }
}

/**
 * @param host only its own answers are read, whichever host is selected meanwhile
 * @param isNameShared whether another host has its name, as settings of an older version may say
 */
export const hostChain = (home: string, host: OneHost, isNameShared: () => boolean): Watched => {
  const { name } = host.host
  return {
    id: name,
    place: 'host',
    title: name,
    read: async (after) => {
      if (isNameShared())
        throw new Problem(
          'setting_invalid',
          `Two hosts are named ${name}, and proofs are remembered by name. Rename one of them in Hosts. ` +
            'The proofs of neither were judged.',
        )
      if (host.view().state !== 'online')
        throw new Problem('hostd_unreachable', `${name} cannot be reached.`)
      return await host.client.proofChain(after, { limitMs: reportMs })
    },
    trusted: () => trustedHostKey(home, name),
    trust: (key) => trustHostKey(home, name, key),
  }
}
