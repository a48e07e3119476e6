import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasCode } from '#shared/system-error'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { verdictDocument } from '#shared/signature'
import { readProofPublicKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import { verifyBundle } from '#ops/core/proof/verify-bundle'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { members } from '#ops/base/process/process-tree'
import { activeShip } from '#ops/features/ship/state/ship-lock'
import type { Keystore } from '../../../../desktop/operator/settings/keystore.ts'
import { startHostd, testHost, type TestHost, type TestHostd } from '../../../support/hostd.ts'
import { operatorBench, until, type OperatorBench } from '../../../support/operator-bench.ts'
import { approve, startResponsesApi, type ResponsesApi } from '../../../support/responses-api.ts'
import { makeShipRepo, type ShipRepo } from '../../../support/ship-repo.ts'

/** A keyring of the system that a test can look into and take away. */
function keyring(): Keystore & { readonly kept: Map<string, string> } {
  const kept = new Map<string, string>()
  return {
    kind: 'os',
    kept,
    get: async (key) => kept.get(key) ?? null,
    set: async (key, value) => {
      kept.set(key, value)
    },
    delete: async (key) => {
      kept.delete(key)
    },
  }
}

let api: ResponsesApi
let repo: ShipRepo
let ring: ReturnType<typeof keyring>
let bench: OperatorBench
beforeAll(async () => {
  api = await startResponsesApi()
  api.script(approve)
})
afterAll(() => api.close())
beforeEach(async () => {
  repo = makeShipRepo(api.base_url)
  ring = keyring()
  bench = operatorBench({ home: repo.home, env: repo.env, keystore: ring })
  await bench.call('settings.set_repository', { path: repo.repo })
})
afterEach(async () => {
  await bench.operator.close()
  await repo.remove()
})

const places = () => laptopProofPaths(repo.home, repo.repo)
const ship = async (): Promise<string> => {
  const { run_id } = await bench.call('ship.start', {})
  await until(
    'the ship has ended',
    async () => (await bench.call('ship.get', { run_id })).summary.result !== null,
  )
  // It seals its bundle under its lock after the result is there.
  await until('the next may begin', async () => (await activeShip(repo.repo)) === null)
  return run_id
}
const filesWith = (folder: string, text: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path, 'latin1').includes(text))

describe('the ship key in the keystore of the system', () => {
  it('is made there, signs verdict and proof, and is in no file, argument or environment', async () => {
    expect(await bench.call('ship_key.get', {})).toMatchObject({
      key: null,
      kept: 'none',
      can_move: null,
    })
    repo.commit('A change', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
    const { run_id } = await bench.call('ship.start', {})
    const seen = new Set<string>()
    const pem = ring.kept.get('ship-key') ?? ''
    const secret = pem.split('\n')[1] ?? ''
    expect(secret.length).toBeGreaterThan(30)
    await until('the ship has ended', async () => {
      for (const pid of members({ marker: `OPENCLAW_RUN_ID=${run_id}` })) {
        for (const name of ['environ', 'cmdline']) {
          try {
            const text = readFileSync(`/proc/${pid}/${name}`, 'latin1')
            seen.add(name)
            expect(text).not.toContain(secret)
          } catch (error) {
            // It has ended, or it is just being started: its environment is nobody's to read then.
            if (!hasCode(error, 'ENOENT', 'ESRCH', 'EACCES')) throw error
          }
        }
      }
      return (await bench.call('ship.get', { run_id })).summary.result !== null
    })
    expect([...seen].toSorted()).toEqual(['cmdline', 'environ'])
    const { summary, signature, verdict } = await bench.call('ship.get', { run_id })
    expect(summary.result).toMatchObject({ overall: 'PASS' })
    expect(signature).toBe('verified')
    const view = await bench.call('ship_key.get', {})
    expect(view).toMatchObject({
      key: { id: verdictDocument.parse(verdict).signature?.key_id },
      kept: 'os',
      can_move: 'file',
    })
    const own = readProofPublicKey(places())
    // The bundle is sealed right after the result is there.
    await until(
      'the proof to be verified',
      async () =>
        (
          await verifyBundle(join(repo.repo, 'artifacts', 'ship', run_id), {
            keys: trustKeys(own === null ? [] : [own], 'the test'),
          })
        ).state === 'verified',
    )
    for (const folder of [repo.home, repo.repo]) expect(filesWith(folder, secret)).toEqual([])
    expect(existsSync(places().keyFile)).toBe(false)
  })

  it('is never replaced: refuses a ship at a terminal, and HQ without the keystore', async () => {
    repo.commit('A change', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
    await ship()
    const { key } = await bench.call('ship_key.get', {})
    repo.commit('Another', { 'app.mjs': 'export const add = (a, b) => a + b + 0\n' })
    const { result } = await repo.ship()
    expect(result).toMatchObject({
      overall: 'FAIL',
      error_class: 'ship_key_locked',
      next_auto_fix: 'ship_from_hq',
    })
    ring.kept.clear()
    expect(await bench.refused('ship.start', {})).toMatchObject({ error_class: 'ship_key_locked' })
    expect(readProofPublicKey(places())?.id).toBe(key?.id)
    expect(existsSync(places().keyFile)).toBe(false)
  })

  it('moves from a file only when the operator says so, and back, as the same key', async () => {
    repo.commit('A change', { 'app.mjs': 'export const add = (a, b) => b + a\n' })
    await repo.ship()
    const id = readProofPublicKey(places())?.id
    expect(await bench.call('ship_key.get', {})).toMatchObject({
      key: { id },
      kept: 'file',
      can_move: 'os',
    })
    expect(ring.kept.size).toBe(0)
    await bench.call('ship_key.move', { to: 'os' })
    expect(existsSync(places().keyFile)).toBe(false)
    expect(await bench.call('ship_key.get', {})).toMatchObject({ key: { id }, kept: 'os' })
    expect((await bench.refused('ship_key.move', { to: 'os' })).error_class).toBe('invalid_request')
    await bench.call('ship_key.move', { to: 'file' })
    expect(ring.kept.size).toBe(0)
    expect(statSync(places().keyFile).mode & 0o777).toBe(0o600)
    repo.commit('Another', { 'app.mjs': 'export const add = (a, b) => a + b + 0\n' })
    expect((await repo.ship()).result).toMatchObject({ overall: 'PASS' })
    expect(readProofPublicKey(places())?.id).toBe(id)
  })
})

describe('enrolling the ship key on the host', () => {
  let host: TestHost
  let hostd: TestHostd
  beforeEach(async () => {
    host = testHost()
    hostd = await startHostd(host)
  })
  afterEach(async () => {
    await hostd.kill()
    await host.remove()
  })

  it('is a run on the host, shown before and after, and enrols the key that was shown', async () => {
    expect(await bench.call('ship_key.get', {})).toMatchObject({ host: null })
    await bench.call('settings.set_host', { name: 'aiops-1', url: hostd.url, token: host.token })
    expect((await bench.call('ship_key.get', {})).host).toEqual({
      name: 'aiops-1',
      enrolled: false,
      enrolled_at: null,
      others: [],
      detail: null,
    })
    expect((await bench.refused('ship_key.enrol', { id: '0'.repeat(32) })).error_class).toBe(
      'invalid_request',
    )
    const { run_id } = await bench.call('ship_key.enrol', { id: null })
    await until(
      'the run has ended',
      async () => (await bench.call('host.run', { run_id })).run.status === 'passed',
    )
    const { key, host: of } = await bench.call('ship_key.get', {})
    expect((await hostd.request('/api/trust')).body).toMatchObject({
      ship_keys: [{ id: key?.id, enrolled_at: of?.enrolled_at }],
    })
    expect(of).toMatchObject({ enrolled: true, enrolled_at: expect.any(String), others: [] })
    await hostd.stop()
    expect((await bench.call('ship_key.get', {})).host).toMatchObject({
      enrolled: null,
      detail: expect.stringContaining('cannot be reached'),
    })
  })
})
