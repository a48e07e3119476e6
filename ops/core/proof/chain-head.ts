import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { Problem } from '#shared/errors'
import { chainHead, manifestName, type ChainHead } from '#shared/proof'
import { sha256Of } from '#ops/base/sha256'
import { readJson, writeJson } from '#ops/base/files/json-file'
import { withLock } from '#ops/base/files/lock'
import { readDocument } from './manifest-text.ts'

const lockWaitMs = 30_000

/**
 * Runs `work` while nobody else seals into this chain.
 * @throws {Problem} `proof_busy` when another holds it for 30 s
 */
export const withChain = <T>(chainFile: string, work: () => Promise<T>): Promise<T> =>
  withLock(
    join(dirname(chainFile), `.${chainLockName(chainFile)}`),
    {
      waitMs: lockWaitMs,
      busy: () =>
        new Problem(
          'proof_busy',
          `Another process has been sealing into ${chainFile} for ${lockWaitMs / 1000} s. Nothing was sealed.`,
        ),
    },
    work,
  )

const chainLockName = (chainFile: string): string =>
  `${chainFile.split(/[\\/]/).at(-1) ?? 'chain'}.lock`

/** @returns null when no bundle of this chain was ever sealed @throws {Problem} `proof_chain_unreadable` */
export const readChainHead = (chainFile: string): ChainHead | null =>
  readJson(chainFile, chainHead, 'proof_chain_unreadable') ?? null

/**
 * The chain to seal into, after a seal that was cut short is resolved: it counts exactly when its manifest is in place.
 * A chain of another key is closed and a new one begun: one chain, one key.
 */
export function currentChain(chainFile: string, keyId: string): ChainHead {
  const found = readChainHead(chainFile)
  const fresh = (closed: ChainHead['closed']): ChainHead => ({
    schema_version: 1,
    chain: randomBytes(8).toString('hex'),
    key_id: keyId,
    counter: 0,
    head: null,
    pending: null,
    closed,
  })
  if (found === null) return fresh([])
  const resolved = resolvePending(found)
  if (resolved.key_id === keyId) return resolved
  const { chain, key_id, counter, head } = resolved
  return fresh(
    counter === 0 || head === null
      ? resolved.closed
      : [...resolved.closed, { chain, key_id, counter, head }],
  )
}

/** What a head says once its pending seal is checked. Writes nothing. */
export function resolvePending(head: ChainHead): ChainHead {
  if (head.pending === null) return head
  const { dir, counter, manifest_sha256 } = head.pending
  return inPlace(join(dir, manifestName), manifest_sha256)
    ? { ...head, counter, head: manifest_sha256, pending: null }
    : { ...head, pending: null }
}

function inPlace(path: string, digest: string): boolean {
  try {
    const text = readDocument(path)
    return text !== null && sha256Of(text) === digest
  } catch {
    return false // no regular readable file: the seal did not get that far
  }
}

/** Whole or not at all. */
export const writeChainHead = (chainFile: string, head: ChainHead): void =>
  writeJson(chainFile, chainHead.parse(head))
