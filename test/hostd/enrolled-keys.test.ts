import { readFileSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeJson } from '#ops/base/files/json-file'
import { newKeyPem, signingKeyFromPem, toTrustedKey } from '#ops/core/trust/signing-key'
import { readTrustFile } from '#ops/core/config/settings-files'
import { startHostd, testHost, until, type TestHost, type TestHostd } from '../support/hostd.ts'

const laptop = signingKeyFromPem(newKeyPem(), 'the laptop')
const byHand = signingKeyFromPem(newKeyPem(), 'another laptop')
let host: TestHost
let hostd: TestHostd
beforeAll(async () => {
  host = testHost()
  writeJson(host.paths.trustFile, {
    schema_version: 1,
    baseline: 'a'.repeat(40),
    review_providers: [],
    keys: [toTrustedKey(byHand)],
  })
  hostd = await startHostd(host)
})
afterAll(async () => {
  await hostd.kill()
  await host.remove()
})

const exec = (params: object, action = 'trust_ship_key') =>
  hostd.request('/api/exec', { method: 'POST', body: { action, params } })
const enrol = async (public_key: string, label = 'laptop of Ada'): Promise<string> =>
  await ended((await exec({ public_key, label })).body)
const revoke = async (id: string): Promise<string> =>
  await ended((await exec({ id }, 'distrust_ship_key')).body)
const ended = async (body: Record<string, unknown>): Promise<string> => {
  return await until('the run has ended', async () => {
    const { body: answer } = await hostd.request(`/api/runs?id=${String(body['run_id'])}`)
    const { status } = answer['run'] as { status: string }
    return status === 'queued' || status === 'running' ? null : status
  })
}
const keys = async (): Promise<unknown> => (await hostd.request('/api/trust')).body['ship_keys']

describe('enrolling the ship key of a laptop', () => {
  it('adds it to the trusted keys, for every reader, and keeps those of trust.json', async () => {
    expect(await keys()).toEqual([{ id: byHand.id, label: null, enrolled_at: null }])
    expect(await enrol(laptop.publicKey)).toBe('passed')
    expect(await keys()).toMatchObject([
      { id: byHand.id },
      { id: laptop.id, label: 'laptop of Ada', enrolled_at: expect.any(String) },
    ])
    expect(readTrustFile(host.paths).keys).toEqual([toTrustedKey(byHand), toTrustedKey(laptop)])
    const before = readFileSync(host.paths.shipKeysFile, 'utf8')
    expect(await enrol(laptop.publicKey, 'again')).toBe('passed')
    expect(await enrol(byHand.publicKey)).toBe('passed')
    expect(readFileSync(host.paths.shipKeysFile, 'utf8')).toBe(before)
  })

  it('refuses anything but a public key, and answers nobody without the token', async () => {
    for (const params of [
      { public_key: newKeyPem(), label: 'x' },
      { public_key: 'x', label: 'x' },
      { public_key: laptop.publicKey, label: '--json' },
      { public_key: laptop.publicKey },
    ])
      expect((await exec(params)).status).toBe(400)
    expect(await enrol('-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n')).toBe(
      'failed',
    )
    expect((await hostd.request('/api/trust', { token: null })).status).toBe(403)
  })

  it('trusts no key at all while the file is damaged', async () => {
    const text = readFileSync(host.paths.shipKeysFile, 'utf8')
    writeFileSync(host.paths.shipKeysFile, text.slice(0, 40))
    expect(() => readTrustFile(host.paths)).toThrow('ship_keys.json')
    expect(await enrol(laptop.publicKey)).toBe('failed')
    writeFileSync(host.paths.shipKeysFile, text)
  })

  it('removes an enrolled key, but neither one of trust.json nor the last one', async () => {
    expect(await revoke(byHand.id)).toBe('failed')
    writeJson(host.paths.trustFile, {
      schema_version: 1,
      baseline: 'a'.repeat(40),
      review_providers: [],
      keys: [],
    })
    expect(await revoke(laptop.id)).toBe('failed')
    expect(readTrustFile(host.paths).keys).toEqual([toTrustedKey(laptop)])
    const other = signingKeyFromPem(newKeyPem(), 'a third laptop')
    expect(await enrol(other.publicKey)).toBe('passed')
    expect(await revoke(laptop.id)).toBe('passed')
    expect(readTrustFile(host.paths).keys).toEqual([toTrustedKey(other)])
    expect(await revoke(laptop.id)).toBe('passed') // it was not trusted any more
    expect((await exec({ id: '../etc' }, 'distrust_ship_key')).status).toBe(400)
  })
})
