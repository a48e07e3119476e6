import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { SigningKey } from '#ops/core/trust/signing-key'
import { signDocument } from '#ops/core/trust/signed-document'
import { documentText } from '#ops/core/proof/manifest-text'
import { pruneBundle } from '#ops/core/proof/prune-bundle'
import { manifest as manifestSchema, type Manifest, type ProofProblemCode } from '#shared/proof'
import { statementFile } from '#shared/statement'
import { sha256Of } from '#ops/base/sha256'
import { runOf } from './proof-bench.ts'

/** What somebody does to a chain of sealed bundles, and how a verifier must call it. */
export interface Tampering {
  readonly name: string
  /** @param at number of the bundle that is meant, 1 to `count` */
  apply(scene: Scene, at: number): void
  /** At least one of these must be named. */
  readonly named: readonly ProofProblemCode[]
}

export interface Scene {
  readonly root: string
  /** Folder of bundle `n`. */
  readonly dir: (n: number) => string
  readonly count: number
  readonly random: () => number
  /** A key of the one who tampers. */
  readonly foreign: SigningKey
  /** The key that sealed. Only a restored backup and the lawful cases have it. */
  readonly key: SigningKey
}

const pick = (random: () => number, below: number): number => Math.floor(random() * below)
const files = ['deploy_result.json', 'build.log', 'attempts/1/verify.log'] as const
const someFile = (random: () => number): string => files[pick(random, files.length)] ?? files[0]

function flipBit(path: string, random: () => number): void {
  const bytes = readFileSync(path)
  const at = pick(random, bytes.length)
  bytes[at] = (bytes[at] ?? 0) ^ (1 << pick(random, 8))
  writeFileSync(path, bytes)
}

const manifestPath = (dir: string): string => join(dir, 'manifest.json')
const readManifest = (dir: string): Manifest =>
  manifestSchema.parse(JSON.parse(readFileSync(manifestPath(dir), 'utf8')))
const swap = (a: string, b: string): void => {
  renameSync(a, `${a}.x`)
  renameSync(b, a)
  renameSync(`${a}.x`, b)
}
const other = (at: number, count: number): number => (at % count) + 1

function resign(dir: string, key: SigningKey, change: Partial<Manifest> = {}): void {
  const { signature: _, ...content } = { ...readManifest(dir), ...change }
  writeFileSync(manifestPath(dir), documentText(signDocument('manifest', content, key)))
}

const manifestCodes = [
  'manifest_unreadable',
  'manifest_off_schema',
  'manifest_respelled',
  'signature_invalid',
  'unknown_key',
  'run_mismatch',
  'kind_mismatch',
] as const

export const tamperings: readonly Tampering[] = [
  {
    name: 'one bit of a file',
    named: ['file_digest'],
    apply: ({ dir, random }, at) => flipBit(join(dir(at), someFile(random)), random),
  },
  {
    name: 'one bit of the manifest',
    named: manifestCodes,
    apply: ({ dir, random }, at) => flipBit(manifestPath(dir(at)), random),
  },
  {
    name: 'one bit of the statement about the files',
    named: ['statement_mismatch'],
    apply: ({ dir, random }, at) => flipBit(join(dir(at), statementFile('files')), random),
  },
  {
    name: 'the statement of another bundle, well signed',
    named: ['statement_mismatch'],
    apply: ({ dir, count }, at) =>
      copyFileSync(
        join(dir(other(at, count)), statementFile('files')),
        join(dir(at), statementFile('files')),
      ),
  },
  {
    name: 'a file deleted',
    named: ['file_missing'],
    apply: ({ dir, random }, at) => rmSync(join(dir(at), someFile(random))),
  },
  {
    name: 'a file added',
    named: ['file_extra'],
    apply: ({ dir, random }, at) =>
      writeFileSync(join(dir(at), `added-${pick(random, 1000)}.log`), 'x'),
  },
  {
    name: 'a file cut short',
    named: ['file_size'],
    apply: ({ dir, random }, at) => truncateSync(join(dir(at), someFile(random)), pick(random, 5)),
  },
  {
    name: 'a file made longer',
    named: ['file_size'],
    apply: ({ dir, random }, at) =>
      writeFileSync(join(dir(at), someFile(random)), ' ', { flag: 'a' }),
  },
  {
    name: 'a file replaced by a link to the same content',
    named: ['file_not_regular'],
    apply: ({ dir, random, root }, at) => {
      const path = join(dir(at), someFile(random))
      copyFileSync(path, join(root, 'copy'))
      rmSync(path)
      symlinkSync(join(root, 'copy'), path)
    },
  },
  {
    name: 'two files of a bundle swapped',
    named: ['file_size', 'file_digest'],
    apply: ({ dir }, at) => swap(join(dir(at), 'build.log'), join(dir(at), 'deploy_result.json')),
  },
  {
    name: 'a bundle deleted from the middle',
    named: ['chain_gap'],
    apply: ({ dir, count }, at) => rmSync(dir(Math.min(at, count - 1)), { recursive: true }),
  },
  {
    name: 'the newest bundles deleted',
    named: ['chain_truncated'],
    apply: ({ dir, count, random }) => {
      for (let n = count; n > count - 1 - pick(random, 3); n -= 1)
        rmSync(dir(n), { recursive: true })
    },
  },
  {
    name: 'a manifest deleted',
    named: ['chain_gap', 'chain_truncated'],
    apply: ({ dir }, at) => rmSync(manifestPath(dir(at))),
  },
  {
    name: 'two bundles swapped',
    named: ['run_mismatch'],
    apply: ({ dir, count }, at) => swap(dir(at), dir(other(at, count))),
  },
  {
    name: 'two manifests swapped',
    named: ['run_mismatch'],
    apply: ({ dir, count }, at) => swap(manifestPath(dir(at)), manifestPath(dir(other(at, count)))),
  },
  {
    name: 'a bundle copied under another run id',
    named: ['run_mismatch'],
    apply: ({ dir }, at) =>
      cpSync(dir(at), join(dir(at), '..', runOf(900 + at)), { recursive: true }),
  },
  {
    name: 'a manifest restamped with another key',
    named: ['unknown_key'],
    apply: ({ dir, foreign, random }, at) => {
      const path = join(dir(at), 'build.log')
      writeFileSync(path, `forged ${random()}`)
      const text = readFileSync(path)
      resign(dir(at), foreign, {
        files: readManifest(dir(at)).files.map((file) =>
          file.path === 'build.log'
            ? { path: file.path, size: text.length, sha256: sha256Of(text.toString()) }
            : file,
        ),
      })
    },
  },
  {
    name: 'a manifest restamped with another key under the name of the true one',
    named: ['signature_invalid'],
    apply: ({ dir, foreign, key }, at) => {
      resign(dir(at), foreign)
      const forged = readManifest(dir(at))
      writeFileSync(
        manifestPath(dir(at)),
        documentText({ ...forged, signature: { ...forged.signature, key_id: key.id } }),
      )
    },
  },
  {
    name: 'the whole chain restamped with another key',
    named: ['unknown_key'],
    apply: ({ dir, foreign, count }) => {
      let previous: string | null = null
      for (let n = 1; n <= count; n += 1) {
        resign(dir(n), foreign, { previous })
        previous = sha256Of(readFileSync(manifestPath(dir(n)), 'utf8'))
      }
    },
  },
  {
    name: 'the keys of a manifest in another order',
    named: ['manifest_respelled'],
    apply: ({ dir }, at) => {
      const document = readManifest(dir(at))
      writeFileSync(
        manifestPath(dir(at)),
        `${JSON.stringify(Object.fromEntries(Object.entries(document).toReversed()), null, 2)}\n`,
      )
    },
  },
  {
    name: 'a number of a manifest spelled otherwise',
    named: ['manifest_respelled'],
    apply: ({ dir }, at) =>
      writeFileSync(
        manifestPath(dir(at)),
        readFileSync(manifestPath(dir(at)), 'utf8').replace(
          '"schema_version": 1',
          '"schema_version": 1.0',
        ),
      ),
  },
  {
    name: 'a counter changed without the key',
    named: ['signature_invalid'],
    apply: ({ dir }, at) =>
      writeFileSync(
        manifestPath(dir(at)),
        documentText({ ...readManifest(dir(at)), counter: at + 7 }),
      ),
  },
  {
    name: 'a tombstone of another key',
    named: ['tombstone_invalid'],
    apply: ({ dir, foreign }, at) => {
      pruneBundle({ dir: dir(at), key: foreign, drop: ({ path }) => path === 'build.log' })
    },
  },
  {
    name: 'a tombstone of another bundle',
    named: ['tombstone_invalid'],
    apply: ({ dir, key, count }, at) => {
      // A file that is the same in both: only the manifest's digest tells the tombstones apart.
      pruneBundle({ dir: dir(other(at, count)), key, drop: ({ path }) => path === 'empty.log' })
      copyFileSync(join(dir(other(at, count)), 'tombstone.json'), join(dir(at), 'tombstone.json'))
      rmSync(join(dir(at), 'empty.log'))
    },
  },
  {
    name: 'a pruned file put back with another content',
    named: ['file_size', 'file_digest'],
    apply: ({ dir, key }, at) => {
      pruneBundle({ dir: dir(at), key, drop: ({ path }) => path === 'build.log' })
      writeFileSync(join(dir(at), 'build.log'), 'what never was\n')
    },
  },
  {
    name: 'a tombstone taken away',
    named: ['file_missing'],
    apply: ({ dir, key }, at) => {
      pruneBundle({ dir: dir(at), key, drop: ({ path }) => path === 'build.log' })
      rmSync(join(dir(at), 'tombstone.json'))
    },
  },
  {
    name: 'an older copy of the artifacts restored',
    named: ['chain_truncated'],
    apply: ({ dir, root, count }) => {
      // The copy was made before the newest bundle was sealed: its folder was there, without a manifest.
      const copy = join(root, 'copy')
      mkdirSync(copy)
      rmSync(manifestPath(dir(count)))
      cpSync(join(root, 'deploy'), join(copy, 'deploy'), { recursive: true })
      rmSync(join(root, 'deploy'), { recursive: true })
      renameSync(join(copy, 'deploy'), join(root, 'deploy'))
    },
  },
  {
    name: 'an older copy restored, state and all, and the chain grown on from there with the true key',
    named: ['head_replaced'],
    apply: ({ dir, key, count }) => {
      if (!existsSync(dir(count))) throw new Error('the scene is not whole')
      resign(dir(count), key, { created_at: '2026-11-20T20:20:20.000Z' })
    },
  },
]
