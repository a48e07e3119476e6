import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { writeJson } from '#ops/base/files/json-file'
import { proofKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import { idOf, witnessedHost } from './witness-bench.ts'

const at = witnessedHost()
const { seal, list, alarms } = at

describe('the laptop as witness of its own ships', () => {
  const newRepository = (): string => {
    const repository = mkdtempSync(join(at.bench.home, 'repo-'))
    execFileSync('git', ['init', '-q', repository])
    return repository
  }
  const sealShip = async (repository: string, n: number): Promise<void> => {
    const places = laptopProofPaths(at.bench.home, repository)
    const dir = join(repository, 'artifacts', 'ship', idOf(n))
    writeJson(join(dir, 'ship_result.json'), { run: n })
    await sealBundle({
      dir,
      kind: 'ship',
      runId: idOf(n),
      chainFile: places.chainFile,
      key: await proofKey(places),
      gitHead: null,
      gitTree: null,
    })
  }

  it('has witnessed each bundle that the same answer calls verified, also the very first', async () => {
    const repository = newRepository()
    await at.bench.call('settings.set_repository', { path: repository })
    expect(await alarms()).toEqual([])
    const ofShips = async (): Promise<unknown[]> => {
      const { witnesses, bundles } = await list()
      return [
        witnesses.find(({ place }) => place === 'laptop')?.seen?.counter ?? 'nothing',
        ...bundles.flatMap(({ laptop, witnessed }) =>
          laptop === null ? [] : [[laptop.state, witnessed?.counter]],
        ),
      ]
    }
    expect(await ofShips()).toEqual(['nothing'])
    await sealShip(repository, 1)
    expect(await ofShips()).toEqual([1, ['verified', 1]])
    const place = { side: 'laptop', folder: 'ship', run_id: idOf(1) } as const
    const { text } = await at.bench.call('proofs.export', place)
    expect(text.split('\n').map((line) => line.slice(0, 13))).toEqual([
      '{"payloadType',
      '{"type":"urn:',
      '',
    ])
    await seal(4, 4)
    const { witnesses, bundles } = await list()
    expect([witnesses[0]?.seen?.counter, bundles[0]?.host?.state, bundles[0]?.witnessed]).toEqual([
      4,
      'verified',
      expect.objectContaining({ counter: 4, same: true }),
    ])
  })

  it('raises an alarm when the proof of a ship is missing or replaced', async () => {
    const repository = newRepository()
    const places = laptopProofPaths(at.bench.home, repository)
    const shipDir = (n: number): string => join(repository, 'artifacts', 'ship', idOf(n))
    for (const n of [1, 2, 3]) await sealShip(repository, n)
    await at.bench.call('settings.set_repository', { path: repository })
    expect(await alarms()).toEqual([])
    const rows = (await list()).bundles.filter(({ kind }) => kind === 'ship')
    expect(
      rows.map(({ laptop, witnessed }) => [laptop?.state, witnessed?.counter, witnessed?.same]),
    ).toEqual([
      ['verified', 3, true],
      ['verified', 2, true],
      ['verified', 1, true],
    ])
    writeFileSync(join(shipDir(3), 'ship_result.json'), '{}')
    expect(
      (await list()).bundles.find(({ run_id, kind }) => kind === 'ship' && run_id === idOf(3))
        ?.laptop,
    ).toMatchObject({
      state: 'broken',
      problems: [{ code: 'file_size', file: 'ship_result.json' }],
    })
    rmSync(shipDir(1), { recursive: true })
    expect(await alarms()).toMatchObject([{ code: 'chain_gap', run_id: idOf(1) }])
    // A ship key never speaks for a at.host.
    expect(readFileSync(join(at.bench.home, 'host_keys.json'), 'utf8')).not.toContain(
      (await proofKey(places)).id,
    )
    rmSync(places.keyFile)
    rmSync(places.publicKeyFile)
    await proofKey(places)
    await at.bench.call('proofs.acknowledge', {
      id: (await list()).witnesses.find(({ place }) => place === 'laptop')?.id ?? '',
      reason: 'Looked at it',
    })
    expect(await alarms()).toMatchObject([{ code: 'key_changed' }])
  })
})
