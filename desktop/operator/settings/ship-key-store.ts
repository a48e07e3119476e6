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

/** Name of the private half in the keystore. */
const secretName = 'ship-key'

/** The private half of the ship key: in the keystore of the system, or in a file of mode 0600. */
export class ShipKeyStore {
  private readonly keystore: Keystore
  private readonly paths: ReturnType<typeof laptopProofPaths>
  private readonly file: KeyStore
  private readonly inKeystore: KeyStore

  constructor(home: string, keystore: Keystore) {
    this.keystore = keystore
    this.paths = laptopProofPaths(home, '')
    this.file = fileKeyStore(this.paths.keyFile)
    this.inKeystore = {
      place: 'the keystore of this system',
      read: () => this.readInKeystore(),
      create: (pem) => this.putInKeystore(pem),
    }
  }

  /** Where the key is; `none` before the first use. */
  storedIn(): 'os' | 'file' | 'none' {
    if (existsSync(this.paths.keyFile)) return 'file'
    return readKeptElsewhere(this.paths) === null ? 'none' : 'os'
  }

  /** For the operator's own signatures. Made on first use. @throws {Problem} `ship_key_locked` */
  key(): Promise<SigningKey> {
    return proofKey(this.paths, this.chosen())
  }

  /**
   * What is passed to a ship: null when it reads the file itself. Made on first use.
   * @throws {Problem} `ship_key_locked`
   */
  async forShip(): Promise<string | null> {
    const chosen = this.chosen()
    if (chosen === this.file) return null
    await proofKey(this.paths, chosen)
    return await chosen.read()
  }

  /** @throws {Problem} `ship_key_locked`, `invalid_request` when it is there already or cannot go there */
  async move(to: 'os' | 'file'): Promise<void> {
    if (this.storedIn() === to)
      throw new Problem('invalid_request', 'The ship key is there already. Nothing was changed.')
    await (to === 'os' ? this.moveToKeystore() : this.moveToFile())
  }

  view(): Omit<ShipKeyView, 'host'> {
    const key = readProofPublicKey(this.paths)
    return {
      key: key === null ? null : { id: key.id, public_key: key.public_key },
      kept: this.storedIn(),
      can_move: this.canMoveTo(),
      keystore: this.keystore.kind,
    }
  }

  private canMoveTo(): 'os' | 'file' | null {
    if (this.keystore.kind !== 'os') return null
    const storedIn = this.storedIn()
    if (storedIn === 'none') return null
    return storedIn === 'file' ? 'os' : 'file'
  }

  /** A file is used until the operator moves it; a new key goes where it is stored best. */
  private chosen(): KeyStore {
    const storedIn = this.storedIn()
    const useFile = storedIn === 'file' || (storedIn === 'none' && this.keystore.kind !== 'os')
    return useFile ? this.file : this.inKeystore
  }

  private async moveToKeystore(): Promise<void> {
    if (this.keystore.kind !== 'os')
      throw new Problem(
        'invalid_request',
        'This start of HQ has no keystore that protects a key, so the ship key stays in its file. Nothing was changed.',
      )
    const pem = await this.file.read()
    if (pem !== null) await this.putInKeystore(pem)
    else await proofKey(this.paths, this.inKeystore)
    rmSync(this.paths.keyFile, { force: true }) // last: until here the file is the key
  }

  private async moveToFile(): Promise<void> {
    const pem = await this.inKeystore.read()
    if (pem === null)
      throw new Problem(
        'invalid_request',
        'There is no ship key yet; the first ship creates it. Nothing was changed.',
      )
    await this.file.create(pem)
    rmSync(this.paths.inKeystoreFile, { force: true })
    await this.keystore.delete(secretName)
  }

  private async readInKeystore(): Promise<string | null> {
    const pem = await this.openKeystore()
    const expected = readKeptElsewhere(this.paths)
    if (pem === null) {
      if (expected === null) return null
      throw locked(
        this.keystore.kind === 'os'
          ? 'it is missing there'
          : 'this start of HQ has no access to that keystore',
      )
    }
    if (expected !== null && signingKeyFromPem(pem, 'the ship key of the keystore').id !== expected)
      throw locked('another key is stored in its place')
    return pem
  }

  private async openKeystore(): Promise<string | null> {
    try {
      return await this.keystore.get(secretName)
    } catch (error) {
      throw new Problem(
        'ship_key_locked',
        'The ship key is in the keystore of this system, which did not return it. Nothing was signed.',
        { cause: error },
      )
    }
  }

  private async putInKeystore(pem: string): Promise<string> {
    await this.keystore.set(secretName, pem)
    if ((await this.keystore.get(secretName)) !== pem) throw locked('the keystore did not store it')
    writeJson(
      this.paths.inKeystoreFile,
      { schema_version: 1, id: signingKeyFromPem(pem, 'the ship key').id },
      { mode: 0o600 },
    )
    return pem
  }
}

const locked = (why: string): Problem =>
  new Problem(
    'ship_key_locked',
    `The ship key belongs in the keystore of this system, but ${why}. Nothing was signed.`,
  )

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
