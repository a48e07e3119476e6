import { existsSync, rmSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import type { ShipKeyView } from '#shared/bridge'
import { Problem } from '#shared/errors'
import { writeJson } from '#ops/base/files/json-file'
import { fileKeyStore, type KeyStore } from '#ops/core/trust/key-store'
import { signingKeyFromPem, type SigningKey } from '#ops/core/trust/signing-key'
import { proofKey, readKeptElsewhere, readProofPublicKey } from '#ops/core/proof/proof-key'
import { laptopProofPaths } from '#ops/base/paths/proof-paths'
import type { Keystore } from './keystore.ts'

/** The private half of the ship key: in the system's keystore, or a file of mode 0600. */
export interface ShipKeeper {
  /** Where it is; `none` before the first use. */
  place(): 'os' | 'file' | 'none'
  /** For the operator's own signatures. Made on first use. @throws {Problem} `ship_key_locked` */
  key(): Promise<SigningKey>
  /** What a ship has to be handed: null when it reads the file itself. Made on first use. @throws {Problem} `ship_key_locked` */
  readonly forShip: () => Promise<string | null>
  /** @throws {Problem} `ship_key_locked`, `invalid_request` when it is there already or cannot go there */
  move(to: 'os' | 'file'): Promise<void>
  view(): Omit<ShipKeyView, 'host'>
}

/** Name of the private half in the keystore. */
const secretName = 'ship-key'

export function shipKeeper(home: string, keystore: Keystore): ShipKeeper {
  const places = laptopProofPaths(home, '')
  const { keyFile, inKeystoreFile } = places
  const file = fileKeyStore(keyFile)
  const place = (): 'os' | 'file' | 'none' =>
    existsSync(keyFile) ? 'file' : readKeptElsewhere(places) !== null ? 'os' : 'none'
  const locked = (why: string): Problem =>
    new Problem(
      'ship_key_locked',
      `The ship key is in the keystore of this system, and ${why}. Nothing was signed.`,
    )

  const fromKeystore = async (): Promise<string | null> => {
    let pem: string | null
    try {
      pem = await keystore.get(secretName)
    } catch (error) {
      throw new Problem(
        'ship_key_locked',
        'The ship key is in the keystore of this system, which does not open it. Nothing was signed.',
        { cause: error },
      )
    }
    if (pem === null) return null
    const expected = readKeptElsewhere(places)
    if (expected !== null && signingKeyFromPem(pem, 'the ship key of the keystore').id !== expected)
      throw locked('another key is in its place')
    return pem
  }
  const keep = async (pem: string): Promise<string> => {
    await keystore.set(secretName, pem)
    if ((await keystore.get(secretName)) !== pem) throw locked('it did not keep it')
    writeJson(
      inKeystoreFile,
      { schema_version: 1, id: signingKeyFromPem(pem, 'the ship key').id },
      { mode: 0o600 },
    )
    return pem
  }
  const osStore: KeyStore = {
    place: 'the keystore of this system',
    read: async () => {
      const pem = await fromKeystore()
      if (pem === null && readKeptElsewhere(places) !== null)
        throw locked(
          keystore.kind === 'os' ? 'is not there any more' : 'this start of HQ has no access to it',
        )
      return pem
    },
    create: keep,
  }
  // A file is used until the operator moves it; a new key goes where it is best kept.
  const store = (): KeyStore =>
    place() === 'file' || (place() === 'none' && keystore.kind !== 'os') ? file : osStore

  return {
    place,
    key: () => proofKey(places, store()),
    forShip: async () => {
      const chosen = store()
      if (chosen === file) return null
      await proofKey(places, chosen)
      return await chosen.read()
    },
    move: async (to) => {
      const from = place()
      if (from === to)
        throw new Problem('invalid_request', `The ship key is there already. Nothing was changed.`)
      if (to === 'os') {
        if (keystore.kind !== 'os')
          throw new Problem(
            'invalid_request',
            'This start of HQ has no keystore that protects a key, so it stays in its file. Nothing was changed.',
          )
        const pem = await file.read()
        if (pem !== null) await keep(pem)
        else await proofKey(places, osStore)
        rmSync(keyFile, { force: true }) // last: until here the file is the key
        return
      }
      const pem = await osStore.read()
      if (pem === null)
        throw new Problem(
          'invalid_request',
          'There is no ship key yet; the first ship makes it. Nothing was changed.',
        )
      await file.create(pem)
      rmSync(inKeystoreFile, { force: true })
      await keystore.delete(secretName)
    },
    view: () => {
      const own = readProofPublicKey(places)
      const kept = place()
      return {
        key: own === null ? null : { id: own.id, public_key: own.public_key },
        kept,
        can_move:
          kept === 'file' && keystore.kind === 'os'
            ? 'os'
            : kept === 'os' && keystore.kind === 'os'
              ? 'file'
              : null,
        keystore: keystore.kind,
      }
    },
  }
}

/** Names this laptop where its key is enrolled: letters a label may have, whatever the system says. */
export function laptopLabel(): string {
  let name = ''
  try {
    name = userInfo().username
  } catch {
    name = '' // an account without an entry in the user database
  }
  return (
    `${name === '' ? '' : `${name} on `}${hostname()}`
      .replace(/[^\p{L}\p{N} ._@-]/gu, '')
      .replace(/^[-\s]+/, '')
      .slice(0, 100) || 'a laptop'
  )
}
