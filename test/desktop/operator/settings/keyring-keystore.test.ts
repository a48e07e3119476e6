import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import {
  KeyringKeystore,
  type Keyring,
} from '../../../../desktop/operator/settings/keyring-keystore.ts'
import { hostTokenKey, type Keystore } from '../../../../desktop/operator/settings/keystore.ts'
import { settingsStore, settingsView } from '../../../../desktop/operator/settings/settings.ts'

const url = 'http://127.0.0.1:9'
const key = hostTokenKey(url)
const flip = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0xff))

/** A keyring that answers when the test says so. */
function lockedKeyring(): Keyring & { unlock(has: boolean): void } {
  let unlock: (has: boolean) => void = () => undefined
  const answer = new Promise<boolean>((resolve) => {
    unlock = resolve
  })
  return {
    unlock,
    available: () => answer,
    encrypt: async (text) => flip(Buffer.from(text)),
    decrypt: async (sealed) => flip(sealed).toString(),
  }
}

let home: string
let said: string[]
const open = (keyring: Keyring): Promise<Keystore> =>
  KeyringKeystore.open({ home, keyring, limitMs: 20, log: (text) => said.push(text) })
const unlocked = (): Keyring => ({ ...lockedKeyring(), available: async () => true })
beforeEach(() => {
  home = realpathSync(mkdtempSync(join(tmpdir(), 'keyring-')))
  said = []
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

it('keeps a token sealed in a file of its owner, over starts of HQ', async () => {
  const keystore = await open(unlocked())
  await keystore.set(key, 'canary-token')
  expect(keystore.kind).toBe('os')
  const [name = ''] = readdirSync(join(home, 'secrets'))
  const file = join(home, 'secrets', name)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readFileSync(file, 'utf8')).not.toContain('canary-token')
  expect(await (await open(unlocked())).get(key)).toBe('canary-token')
  expect(said).toEqual([])
})

it('starts without a keyring that does not answer, says so, and uses it when it does', async () => {
  await (await open(unlocked())).set(key, 'stored before')
  const keyring = lockedKeyring()
  const keystore = await open(keyring)
  expect(keystore.kind).toBe('none')
  expect(said).toEqual([expect.stringContaining('has not answered within 20 ms')])
  await expect(keystore.get(key)).rejects.toMatchObject({
    errorClass: 'host_not_enrolled',
    message: expect.stringContaining('It may be locked'),
  })
  expect(await keystore.get('another')).toBeNull()
  await keystore.set('another', 'entered while it was locked')
  expect(await keystore.get('another')).toBe('entered while it was locked')
  expect(readdirSync(join(home, 'secrets'))).toHaveLength(1)

  keyring.unlock(true)
  await expect.poll(() => readdirSync(join(home, 'secrets'))).toHaveLength(2)
  expect(keystore.kind).toBe('os')
  expect(await keystore.get(key)).toBe('stored before')
  expect(await (await open(unlocked())).get('another')).toBe('entered while it was locked')
})

it('stores nothing where the system has no keyring', async () => {
  for (const available of [async () => false, () => Promise.reject(new Error('no bus'))]) {
    const keystore = await open({ ...lockedKeyring(), available })
    await keystore.set(key, 'canary-token')
    expect([keystore.kind, await keystore.get(key)]).toEqual(['none', 'canary-token'])
    expect(readdirSync(home)).toEqual([])
  }
  expect(said).toEqual([expect.stringContaining('no bus')])
})

it('opens the settings when the stored token cannot be read, so that it is entered again', async () => {
  const store = settingsStore(home)
  await (await open(unlocked())).set(key, 'stored-token')
  store.update({ host: { name: 'test-host', url } })
  const view = async (keyring: Keyring): Promise<unknown> =>
    (await settingsView(store.read(), await open(keyring), {})).host
  const changed = { ...unlocked(), decrypt: () => Promise.reject(new Error('another key')) }
  expect(await view(unlocked())).toMatchObject({ token_set: true })
  for (const keyring of [changed, lockedKeyring()])
    expect(await view(keyring)).toMatchObject({ token_set: false })
})
