import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { newRunId } from '#shared/ids'
import { manifestName } from '#shared/proof'
import {
  newKeyPem,
  signingKeyFromPem,
  toTrustedKey,
  type SigningKey,
} from '#ops/core/trust/signing-key'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { readChainHead } from '#ops/core/proof/chain-head'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import { verifyBundle } from '#ops/core/proof/verify-bundle'
import { rememberedBy, verifyChain } from '#ops/core/proof/verify-chain'
import { listing, type Violation, type ViolationGroup } from './violation.ts'
import type { Workspace } from './workspace.ts'

const kind = 'deploy'

interface Sealed {
  readonly workspace: Workspace
  /** Folder of the sealed bundles. */
  readonly root: string
  readonly ids: readonly [string, string]
  readonly key: SigningKey
  readonly remembered: ReturnType<typeof rememberedBy>
}

/** Changes to a proof after it was sealed. */
export const proofViolations: ViolationGroup = {
  name: 'proof',
  guard: 'The verification of proof bundles',
  prepare: async (workspace) => {
    const sealed = await sealTwo(workspace)
    return { violations: [...bundleViolations(sealed), ...chainViolations(sealed)] }
  },
}

async function sealTwo(workspace: Workspace): Promise<Sealed> {
  const key = newKey('ours')
  const chainFile = join(workspace.sub('proof'), 'chain.json')
  const ids = [
    newRunId(new Date('2026-01-01T00:00:00Z')),
    newRunId(new Date('2026-01-01T00:00:01Z')),
  ] as const
  for (const runId of ids) {
    const dir = workspace.sub('proof', 'sealed', kind, runId)
    writeFileSync(join(dir, 'result.json'), '{"overall":"FAIL"}')
    writeFileSync(join(dir, 'step.log'), 'line\n')
    await sealBundle({ dir, kind, runId, chainFile, key, gitHead: null, gitTree: null })
  }
  const head = readChainHead(chainFile)
  if (head === null) throw new Error('the chain was sealed and its file is missing')
  const remembered = rememberedBy(head, basename(chainFile))
  return { workspace, root: workspace.sub('proof', 'sealed'), ids, key, remembered }
}

const newKey = (name: string): SigningKey => signingKeyFromPem(newKeyPem(), name)
const trusting = (key: SigningKey) => trustKeys([toTrustedKey(key)], 'the self-test')
const untouched = (): void => undefined
const rewrite = (file: string, from: string, to: string): void =>
  writeFileSync(file, readFileSync(file, 'utf8').replace(from, to))

interface Change extends Pick<Violation, 'name' | 'what' | 'expected'> {
  /** Changes a copy of the bundle, or of the whole folder of bundles. */
  readonly change: (folder: string) => void
  /** The key that the verification trusts; default: the key that sealed. */
  readonly key?: SigningKey
}

function bundleViolations({ workspace, root, ids, key: sealedWith }: Sealed): Violation[] {
  const verified = (change: (dir: string) => void, name: string, key = sealedWith) =>
    listing(async () => {
      const dir = join(workspace.sub('proof', name, kind), ids[0])
      cpSync(join(root, kind, ids[0]), dir, { recursive: true })
      change(dir)
      return (await verifyBundle(dir, { keys: trusting(key) })).problems
    })
  const changes: readonly Change[] = [
    {
      name: 'file_altered',
      what: 'a result changed from FAIL to PASS',
      expected: 'file_digest',
      change: (dir) => rewrite(join(dir, 'result.json'), 'FAIL', 'PASS'),
    },
    {
      name: 'file_removed',
      what: 'a removed log',
      expected: 'file_missing',
      change: (dir) => rmSync(join(dir, 'step.log')),
    },
    {
      name: 'file_added',
      what: 'an added file',
      expected: 'file_extra',
      change: (dir) => writeFileSync(join(dir, 'more.log'), 'more\n'),
    },
    {
      name: 'manifest_altered',
      what: 'a changed manifest',
      // Its own signature and the statement about its files see it.
      expected: 'signature_invalid+statement_mismatch',
      change: (dir) =>
        rewrite(join(dir, manifestName), '"git_head": null', `"git_head": "${'a'.repeat(40)}"`),
    },
    {
      name: 'foreign_key',
      what: 'a bundle that another key signed',
      expected: 'unknown_key',
      change: untouched,
      key: newKey('theirs'),
    },
  ]
  return changes.map(({ name, what, expected, change, key }) => ({
    name,
    what,
    expected,
    control: verified(untouched, `${name}-control`),
    attempt: verified(change, name, key),
  }))
}

function chainViolations({ workspace, root, ids, key, remembered }: Sealed): Violation[] {
  const verified = (change: (copy: string) => void, name: string) =>
    listing(async () => {
      const copy = workspace.sub('proof', name)
      cpSync(root, copy, { recursive: true })
      change(copy)
      const { problems } = await verifyChain(copy, {
        keys: trusting(key),
        kinds: [kind],
        remembered,
      })
      return problems
    })
  const changes: readonly Change[] = [
    {
      name: 'chain_cut',
      what: 'a chain without its newest bundle',
      expected: 'chain_truncated',
      change: (copy) => rmSync(join(copy, kind, ids[1]), { recursive: true }),
    },
    {
      name: 'chain_gap',
      what: 'a chain without its first bundle',
      expected: 'chain_gap',
      change: (copy) => rmSync(join(copy, kind, ids[0]), { recursive: true }),
    },
  ]
  return changes.map(({ name, what, expected, change }) => ({
    name,
    what,
    expected,
    control: verified(untouched, `${name}-control`),
    attempt: verified(change, name),
  }))
}
