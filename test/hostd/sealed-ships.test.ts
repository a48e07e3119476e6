import { rmSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  newKeyPem,
  signingKeyFromPem,
  toTrustedKey,
  type SigningKey,
} from '#ops/core/trust/signing-key'
import { writeJson, writeWhole } from '#ops/base/files/json-file'
import { sealBundle } from '#ops/core/proof/seal-bundle'
import type { ShipBundle } from '#shared/bundle'
import { makeShipBundle } from '../../desktop/operator/ships/bundle.ts'
import { startHostd, testHost, type TestHost, type TestHostd } from '../support/hostd.ts'

const laptop = signingKeyFromPem(newKeyPem(), 'the laptop')
const other = signingKeyFromPem(newKeyPem(), 'another machine')
const time = '2026-01-01T00:00:00.000Z'
const idOf = (n: number): string => `20260101T0000${String(n).padStart(2, '0')}Z-00000000`

let host: TestHost
let hostd: TestHostd
let repository: string
beforeAll(async () => {
  host = testHost()
  repository = join(host.dir, 'laptop')
  hostd = await startHostd(host)
  enrol(laptop)
})
afterAll(async () => {
  await hostd.kill()
  await host.remove()
})

const enrol = (...keys: SigningKey[]): void =>
  writeJson(host.paths.trustFile, {
    schema_version: 1,
    baseline: 'a'.repeat(40),
    review_providers: [],
    keys: keys.map(toTrustedKey),
  })
/** A ship's proof on the laptop. */
const folderOf = (n: number, log = 'passed'): string => {
  const dir = join(repository, 'artifacts', 'ship', idOf(n))
  writeJson(join(dir, 'ship_result.json'), {
    schema_version: 1,
    run_id: idOf(n),
    overall: 'PASS',
    step_failed: null,
    error_class: null,
    next_auto_fix: null,
    git_head: 'a'.repeat(40),
    git_tree: null,
    started_at: time,
    finished_at: time,
    steps: [],
    artifacts: {},
    since_sha: null,
    verdict_id: null,
    pushed_sha: 'a'.repeat(40),
    remote_sha: 'a'.repeat(40),
    scripted_review: false,
    tests: [],
  })
  for (const name of ['verdict.json', 'events.ndjson']) writeWhole(join(dir, name), '{}\n')
  writeWhole(join(dir, 'tests.log'), log)
  return dir
}
const sealed = async (n: number, { key = laptop, log = 'passed' } = {}): Promise<ShipBundle> => {
  const dir = folderOf(n, log)
  await sealBundle({
    dir,
    kind: 'ship',
    runId: idOf(n),
    chainFile: join(host.dir, `chain-${key.id}.json`),
    key,
    gitHead: 'a'.repeat(40),
    gitTree: null,
  })
  return makeShipBundle(repository, idOf(n), key).bundle
}
const upload = async (n: number, body: ShipBundle): Promise<unknown> => {
  const { status, body: answer } = await hostd.request(`/api/ship/${idOf(n)}`, {
    method: 'PUT',
    body,
  })
  return status === 200 ? answer['verification'] : answer['error_class']
}
const shown = async (): Promise<unknown> => (await hostd.request('/api/status')).body
const expectShown = async (n: number, verification: string): Promise<void> =>
  expect(await shown()).toMatchObject({
    last_ship: { run_id: idOf(n), verification },
    bundles: { ship: { run_id: idOf(n), complete: true, verification } },
  })

describe('a sealed ship on the host', () => {
  it('is verified by the key of the trust file, and broken as soon as a byte of it changes', async () => {
    expect(await upload(1, await sealed(1))).toBe('verified')
    await expectShown(1, 'verified')
    const file = join(host.paths.artifacts, 'ship', idOf(1), 'tests.log')
    writeFileSync(file, 'Passed')
    await expectShown(1, 'broken')
    writeFileSync(file, 'passed')
    await expectShown(1, 'verified')
    rmSync(join(host.paths.artifacts, 'ship', idOf(1), 'verdict.json'))
    expect(await shown()).toMatchObject({
      bundles: { ship: { complete: false, verification: 'broken' } },
    })
  })

  it('accounts for what is too large to be uploaded', async () => {
    const bundle = await sealed(2, { log: 'x'.repeat(20 * 1024 * 1024) })
    expect(bundle.files.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['manifest.json', 'tombstone.json']),
    )
    expect(bundle.files.map(({ path }) => path)).not.toContain('tests.log')
    expect(await upload(2, bundle)).toBe('verified')
    await expectShown(2, 'verified')
  })

  it('is refused, and nothing stored, when it was changed after it was sealed or lacks a file', async () => {
    const bundle = await sealed(3)
    writeFileSync(
      join(repository, 'artifacts', 'ship', idOf(3), 'verdict.json'),
      '{"edited":true}\n',
    )
    expect(await upload(3, makeShipBundle(repository, idOf(3), laptop).bundle)).toBe('proof_broken')
    expect(
      await upload(3, {
        ...bundle,
        files: bundle.files.filter(({ path }) => path !== 'tests.log'),
      }),
    ).toBe('proof_broken')
    await expectShown(2, 'verified')
  })

  it('is refused while the host does not know the key that sealed it', async () => {
    const bundle = await sealed(4, { key: other })
    expect(await upload(4, bundle)).toBe('proof_broken')
    enrol(laptop, other)
    expect(await upload(4, bundle)).toBe('verified')
    await expectShown(4, 'verified')
    enrol(laptop)
    await expectShown(4, 'broken')
  })

  it('is unverified when it was never sealed, and when the host knows no key, or only a damaged one', async () => {
    folderOf(5)
    expect(await upload(5, makeShipBundle(repository, idOf(5), laptop).bundle)).toBe('unverified')
    await expectShown(5, 'unverified')
    enrol()
    expect(await upload(6, await sealed(6))).toBe('unverified')
    await expectShown(6, 'unverified')
    writeJson(host.paths.trustFile, {
      ...(JSON.parse(readFileSync(host.paths.trustFile, 'utf8')) as object),
      keys: [{ id: laptop.id, public_key: 'none' }],
    })
    await expectShown(6, 'unverified')
    enrol(laptop)
    await expectShown(6, 'verified')
  })
})
