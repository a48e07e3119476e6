import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { newRunId } from '#shared/ids'
import { manifestName } from '#shared/proof'
import { newKeyPem, signingKeyFromPem, toTrustedKey } from '#ops/core/trust/signing-key'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { readChainHead } from '#ops/core/proof/chain-head'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import { verifyBundle } from '#ops/core/proof/verify-bundle'
import { rememberedBy, verifyChain } from '#ops/core/proof/verify-chain'
import { findings, type Group, type Plant } from './violation.ts'

const kind = 'deploy'

/** What happens to a proof after it was sealed. */
export const proofPlants: Group = {
  name: 'proof',
  guard: 'The verification of proof bundles',
  make: async (place) => {
    const [ours, theirs] = ['ours', 'theirs'].map((name) => signingKeyFromPem(newKeyPem(), name))
    if (ours === undefined || theirs === undefined) throw new Error('two keys were made')
    const chainFile = join(place.sub('proof'), 'chain.json')
    const ids = [
      newRunId(new Date('2026-01-01T00:00:00Z')),
      newRunId(new Date('2026-01-01T00:00:01Z')),
    ] as const
    const root = place.sub('proof', 'sealed')
    for (const runId of ids) {
      const dir = place.sub('proof', 'sealed', kind, runId)
      writeFileSync(join(dir, 'result.json'), '{"overall":"FAIL"}')
      writeFileSync(join(dir, 'step.log'), 'line\n')
      await sealBundle({ dir, kind, runId, chainFile, key: ours, gitHead: null, gitTree: null })
    }
    const head = readChainHead(chainFile)
    if (head === null) throw new Error('the chain was sealed and is not there')
    const keys = (key = ours) => trustKeys([toTrustedKey(key)], 'the self-test')
    const bundle = (change: (dir: string) => void, name: string, key = ours) =>
      findings(async () => {
        const dir = join(place.sub('proof', name, kind), ids[0])
        cpSync(join(root, kind, ids[0]), dir, { recursive: true })
        change(dir)
        return (await verifyBundle(dir, { keys: keys(key) })).problems
      })
    const chain = (change: (root: string) => void, name: string) =>
      findings(async () => {
        const copy = place.sub('proof', name)
        cpSync(root, copy, { recursive: true })
        change(copy)
        return (
          await verifyChain(copy, {
            keys: keys(),
            kinds: [kind],
            remembered: rememberedBy(head, basename(chainFile)),
          })
        ).problems
      })
    const untouched = (): void => undefined
    const rewrite = (dir: string, name: string, from: string, to: string): void =>
      writeFileSync(join(dir, name), readFileSync(join(dir, name), 'utf8').replace(from, to))
    const altered = (
      name: string,
      planted: string,
      expected: string,
      change: (dir: string) => void,
      key = ours,
    ): Plant => ({
      name,
      planted,
      expected,
      control: bundle(untouched, `${name}-control`),
      plant: bundle(change, name, key),
    })
    const reordered = (
      name: string,
      planted: string,
      expected: string,
      change: (root: string) => void,
    ): Plant => ({
      name,
      planted,
      expected,
      control: chain(untouched, `${name}-control`),
      plant: chain(change, name),
    })
    return {
      plants: [
        altered('file_altered', 'a result turned from FAIL to PASS', 'file_digest', (dir) =>
          rewrite(dir, 'result.json', 'FAIL', 'PASS'),
        ),
        altered('file_removed', 'a log that was taken away', 'file_missing', (dir) =>
          rmSync(join(dir, 'step.log')),
        ),
        altered('file_added', 'a file that was put beside', 'file_extra', (dir) =>
          writeFileSync(join(dir, 'more.log'), 'more\n'),
        ),
        altered('manifest_altered', 'a manifest with another time', 'signature_invalid', (dir) =>
          rewrite(dir, manifestName, '"git_head": null', `"git_head": "${'a'.repeat(40)}"`),
        ),
        altered(
          'foreign_key',
          'a bundle that another key signed',
          'unknown_key',
          untouched,
          theirs,
        ),
        reordered('chain_cut', 'a chain without its newest bundle', 'chain_truncated', (copy) =>
          rmSync(join(copy, kind, ids[1]), { recursive: true }),
        ),
        reordered('chain_gap', 'a chain without its first bundle', 'chain_gap', (copy) =>
          rmSync(join(copy, kind, ids[0]), { recursive: true }),
        ),
      ],
    }
  },
}
