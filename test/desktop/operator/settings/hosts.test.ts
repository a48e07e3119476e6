import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readWitness, writeWitness } from '#ops/core/proof/witness'
import {
  noteAlarms,
  readAlarms,
  trustedHostKey,
  trustHostKey,
} from '#ops/core/proof/witness-alarms'
import { keepSeen, readSeen } from '#ops/core/proof/witness-seen'
import { toTrustedKey } from '#ops/core/trust/signing-key'
import { enrolledHosts, repinHost, setHost } from '../../../../desktop/operator/settings/hosts.ts'
import {
  fileKeystore,
  hostTokenKey,
  type Keystore,
} from '../../../../desktop/operator/settings/keystore.ts'
import {
  settingsStore,
  type SettingsStore,
} from '../../../../desktop/operator/settings/settings.ts'
import { newKey } from '../../../ops/core/proof/proof-bench.ts'
import { problemFrom } from '../../../support/step-context.ts'

const one = 'https://one.example'
const two = 'https://two.example'
const chain = '0123456789abcdef'
const seenAt = '2026-11-30T10:00:00.000Z'

let home: string
let stores: { store: SettingsStore; keystore: Keystore }
const tokenOf = (url: string): Promise<string | null> => stores.keystore.get(hostTokenKey(url))
const named = (): [string, string][] =>
  enrolledHosts(stores.store.read()).map(({ name, url }) => [name, url])
const add = (name: string, url: string) =>
  setHost(stores, { name, url, token: `token-of-${name}` }, 'added')

beforeEach(async () => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'hosts-test-')))
  stores = { store: settingsStore(home), keystore: fileKeystore(home) }
  await add('aiops-1', one)
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

/** What the laptop remembers of a host. */
function witnessed(host: string): string {
  const key = toTrustedKey(newKey())
  trustHostKey(home, host, key)
  const head = 'b'.repeat(64)
  const common = { schema_version: 1, host, chain, key_id: key.id, seen_at: seenAt } as const
  writeWitness(home, { ...common, counter: 1, head })
  const link = { counter: 1, kind: 'deploy', run_id: '20261130T100000Z-00000001' } as const
  keepSeen({ home, host, chain }, [{ ...link, manifest_sha256: head, pruned: 0, seen_at: seenAt }])
  const alarm = {
    code: 'chain_gap',
    detail: 'a gap',
    run_id: null,
    file: null,
    counter: 2,
  } as const
  noteAlarms({ home, host, found: [alarm], shown: null })
  return key.id
}
const remembered = (host: string) => ({
  key: trustedHostKey(home, host)?.id ?? null,
  counter: readWitness(home, host)?.counter ?? null,
  seen: readSeen({ home, host, chain }, { from: 1, to: 1 }).length,
  open: readAlarms(home, host).open.length,
})

describe('the name of a host', () => {
  it('is refused when another host has it, and neither settings nor token change', async () => {
    await add('edge-3', two)
    for (const [name, url, place] of [
      ['AIOPS-1', 'https://three.example', 'added'],
      ['aiops-1', two, 'added'],
      ['edge-3', 'https://three.example', 'selected'],
    ] as const)
      expect(
        await problemFrom(() => setHost(stores, { name, url, token: 'another' }, place)),
      ).toMatchObject({ errorClass: 'setting_invalid' })
    expect(named()).toEqual([
      ['aiops-1', one],
      ['edge-3', two],
    ])
    expect(await Promise.all([tokenOf(one), tokenOf(two)])).toEqual([
      'token-of-aiops-1',
      'token-of-edge-3',
    ])
  })

  it('takes everything along that is remembered under it', async () => {
    const key = witnessed('aiops-1')
    await setHost(stores, { name: 'prod: 1', url: one })
    expect(remembered('prod: 1')).toEqual({ key, counter: 1, seen: 1, open: 1 })
    expect(remembered('aiops-1')).toEqual({ key: null, counter: null, seen: 0, open: 0 })
    await setHost(stores, { name: 'PROD: 1', url: one })
    expect(remembered('PROD: 1')).toEqual({ key, counter: 1, seen: 1, open: 1 })
  })

  it('is refused when it is remembered with another key', async () => {
    const key = witnessed('aiops-1')
    const old = witnessed('removed')
    const refused = await problemFrom(() =>
      setHost(stores, { name: 'removed', url: one, token: 'another' }),
    )
    expect(refused.errorClass).toBe('setting_invalid')
    expect([remembered('aiops-1').key, remembered('removed').key]).toEqual([key, old])
    expect(named()).toEqual([['aiops-1', one]])
    expect(await tokenOf(one)).toBe('token-of-aiops-1')
  })
})

describe('the token of a host', () => {
  it('goes when its address does', async () => {
    await setHost(stores, { name: 'aiops-1', url: two })
    expect(named()).toEqual([['aiops-1', two]])
    expect(await Promise.all([tokenOf(one), tokenOf(two)])).toEqual([null, null])
  })

  it('stays when another enrolled host is selected in its place', async () => {
    await add('edge-3', two)
    await setHost(stores, { name: 'edge-3', url: two })
    expect(named()).toEqual([
      ['edge-3', two],
      ['aiops-1', one],
    ])
    expect(await tokenOf(one)).toBe('token-of-aiops-1')
  })

  it('is not replaced by that of a host that was renamed to a taken address', async () => {
    await add('edge-3', two)
    const pin = { node_key: 'nodekey:1', tls_name: 'two.example', at: seenAt }
    const refused = await problemFrom(() => repinHost(stores, one, { pin, renamed: true }))
    expect(refused.errorClass).toBe('setting_invalid')
    expect(await Promise.all([tokenOf(one), tokenOf(two)])).toEqual([
      'token-of-aiops-1',
      'token-of-edge-3',
    ])
  })
})
