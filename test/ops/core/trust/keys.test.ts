import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { generateKeyPairSync } from 'node:crypto'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fileKeyStore, loadOrCreateKey, type KeyStore } from '#ops/core/trust/key-store'
import { checkSignature, signDocument } from '#ops/core/trust/signed-document'
import { newKeyPem, signingKeyFromPem, toTrustedKey } from '#ops/core/trust/signing-key'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import { proofKey } from '#ops/core/proof/proof-key'

describe('the signing key', () => {
  let dir: string
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'keys-'))
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('is made on first use, readable by its owner only, and is the same from then on', async () => {
    const path = join(dir, 'made', 'ship_key.pem')
    const key = await loadOrCreateKey(fileKeyStore(path))
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(statSync(join(dir, 'made')).mode & 0o777).toBe(0o700)
    expect(readdirSync(join(dir, 'made'))).toEqual(['ship_key.pem'])
    expect((await loadOrCreateKey(fileKeyStore(path))).id).toBe(key.id)
    expect(key.id).toMatch(/^[0-9a-f]{32}$/)
    expect(key.publicKey).toMatch(/^-----BEGIN PUBLIC KEY-----/)
  })

  it('is one key when several processes make it at once', async () => {
    const keys = await Promise.all(
      Array.from({ length: 8 }, () => loadOrCreateKey(fileKeyStore(join(dir, 'key.pem')))),
    )
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1)
  })

  it('is neither used nor replaced when others can read it, it is a link, or it is another kind of key', async () => {
    const path = join(dir, 'key.pem')
    await loadOrCreateKey(fileKeyStore(path))
    chmodSync(path, 0o640)
    await expect(loadOrCreateKey(fileKeyStore(path))).rejects.toMatchObject({
      errorClass: 'config_invalid',
      message: expect.stringContaining('read by others'),
    })
    symlinkSync(path, join(dir, 'link.pem'))
    await expect(loadOrCreateKey(fileKeyStore(join(dir, 'link.pem')))).rejects.toMatchObject({
      errorClass: 'config_invalid',
    })
    const rsa = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    for (const content of [rsa.privateKey, 'no key', '']) {
      writeFileSync(join(dir, 'bad.pem'), content, { mode: 0o600 })
      await expect(loadOrCreateKey(fileKeyStore(join(dir, 'bad.pem')))).rejects.toMatchObject({
        errorClass: 'config_invalid',
      })
      expect(readFileSync(join(dir, 'bad.pem'), 'utf8')).toBe(content)
    }
  })

  it('does not show its private half in JSON, in a debug print or in an error', () => {
    const pem = newKeyPem()
    const body = pem.split('\n')[1] ?? ''
    const key = signingKeyFromPem(pem, 'here')
    expect(JSON.stringify(key) + inspect(key, { depth: 9, showHidden: true })).not.toContain(
      body.slice(0, 20),
    )
    const broken = pem.replace('-----END PRIVATE KEY-----', '')
    const said = ((): string => {
      try {
        signingKeyFromPem(broken, 'here')
        return ''
      } catch (error) {
        return inspect(error, { depth: 9 })
      }
    })()
    expect(said).toContain('is not a private key')
    expect(said).not.toContain(body.slice(0, 20))
  })

  it('can lie in a keyring, and its public half is put where the other side can read it', async () => {
    let kept: string | null = null
    const ring: KeyStore = {
      place: 'a keyring',
      read: async () => kept,
      create: async (pem) => (kept ??= pem),
    }
    const places = {
      keyFile: join(dir, 'unused.pem'),
      publicKeyFile: join(dir, 'public.json'),
      chainFile: join(dir, 'chain.json'),
    }
    const key = await proofKey(places, ring)
    expect(existsSync(places.keyFile)).toBe(false)
    expect(JSON.parse(readFileSync(places.publicKeyFile, 'utf8'))).toEqual(toTrustedKey(key))
    expect(trustKeys([toTrustedKey(key)], 'trust.json').has(key.id)).toBe(true)
    expect((await proofKey(places, ring)).id).toBe(key.id)
  })
})

describe('keys that are trusted', () => {
  const key = signingKeyFromPem(newKeyPem(), 'test')

  it('are refused under the id of another, as a private key, or as another kind of key', () => {
    const pem = newKeyPem()
    const ec = generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    for (const bad of [
      { id: '0'.repeat(32), public_key: key.publicKey },
      { id: key.id, public_key: pem },
      { id: key.id, public_key: ec.publicKey },
      { id: key.id, public_key: 'x' },
    ]) {
      expect(() => trustKeys([bad], 'trust.json')).toThrow(
        expect.objectContaining({ errorClass: 'config_invalid' }),
      )
    }
  })

  it('decide over a signature: right content, right kind, right key, one spelling', () => {
    const keys = trustKeys([toTrustedKey(key)], 'trust.json')
    const signed = signDocument('manifest', { b: 1, a: ['é', null], n: 1e21 }, key)
    expect(
      checkSignature(
        'manifest',
        { n: 1e21, a: ['é', null], b: 1, signature: signed.signature } as typeof signed,
        keys,
      ),
    ).toBe('verified')
    expect(checkSignature('verdict', signed, keys)).toBe('invalid')
    const edited = { ...signed, b: 2 }
    expect(checkSignature('manifest', edited, keys)).toBe('invalid')
    expect(checkSignature('manifest', signed, new Map())).toBe('no_key_enrolled')
    expect(
      checkSignature(
        'manifest',
        { ...signed, signature: { ...signed.signature, key_id: '0'.repeat(32) } },
        keys,
      ),
    ).toBe('unknown_key')
    // The four spare bits before the padding: the same bytes, another spelling.
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
    const { value } = signed.signature
    const respelled = `${value.slice(0, 85)}${alphabet[alphabet.indexOf(value[85] ?? '') + 1]}==`
    expect(Buffer.from(respelled, 'base64')).toEqual(Buffer.from(value, 'base64'))
    expect(
      checkSignature(
        'manifest',
        { ...signed, signature: { ...signed.signature, value: respelled } },
        keys,
      ),
    ).toBe('invalid')
  })
})
