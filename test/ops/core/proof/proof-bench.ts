import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  newKeyPem,
  signingKeyFromPem,
  toTrustedKey,
  type SigningKey,
} from '#ops/core/trust/signing-key'
import { trustKeys, type TrustedKeys } from '#ops/core/trust/trusted-keys'
import { sealBundle, type Sealed } from '#ops/core/proof/seal-bundle'
import type { BundleKind } from '#shared/proof'

/** A repeatable source of randomness for one seed (mulberry32). @returns numbers in [0, 1) */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

export const newKey = (): SigningKey => signingKeyFromPem(newKeyPem(), 'a test key')
export const trusting = (...keys: SigningKey[]): TrustedKeys =>
  trustKeys(keys.map(toTrustedKey), 'the test')

export interface ProofBench {
  readonly root: string
  readonly chainFile: string
  readonly key: SigningKey
  /** Makes bundle number `n` (from 1) without sealing it. @returns its folder */
  write(kind: BundleKind, n: number, files?: Readonly<Record<string, string>>): string
  seal(kind: BundleKind, n: number, key?: SigningKey): Promise<Sealed>
  remove(): void
}

/** Run ids that sort by number. */
export const runOf = (n: number): string =>
  `20261101T${String(100000 + n).padStart(6, '0')}Z-${n.toString(16).padStart(8, '0')}`

export function proofBench(): ProofBench {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'proof-')))
  const root = join(base, 'artifacts')
  const chainFile = join(base, 'state', 'chain.json')
  const key = newKey()
  mkdirSync(root)
  const dirOf = (kind: BundleKind, n: number): string => join(root, kind, runOf(n))
  return {
    root,
    chainFile,
    key,
    write: (
      kind,
      n,
      files = {
        'deploy_result.json': `{"run":${n}}\n`,
        'build.log': `line one of ${n}\nline two\n`,
        'attempts/1/verify.log': `attempt of ${n}\n`,
        'empty.log': '',
      },
    ) => {
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(dirOf(kind, n), path)), { recursive: true })
        writeFileSync(join(dirOf(kind, n), path), text)
      }
      return dirOf(kind, n)
    },
    seal: (kind, n, by = key) =>
      sealBundle({
        dir: dirOf(kind, n),
        kind,
        runId: runOf(n),
        chainFile,
        key: by,
        gitHead: 'a'.repeat(40),
        gitTree: null,
      }),
    remove: () => rmSync(base, { recursive: true, force: true }),
  }
}
