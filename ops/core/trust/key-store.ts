import { hasCode } from '#shared/system-error'
import { randomBytes } from 'node:crypto'
import { linkSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { Problem } from '#shared/errors'
import { writeWhole } from '#ops/base/files/json-file'
import { pemBodies } from '#ops/base/redact/private-keys'
import { knowSecrets } from '#ops/base/redact/redaction'
import { newKeyPem, signingKeyFromPem, type SigningKey } from './signing-key.ts'

/** Where one private key is kept: a file of mode 0600, or a keyring that HQ passes in. */
export interface KeyStore {
  /** Names the store in messages. */
  readonly place: string
  read(): Promise<string | null>
  /** Keeps `pem` unless a key is there already. @returns the key that is kept */
  create(pem: string): Promise<string>
}

/**
 * The key of this store, made on first use.
 * @throws {Problem} `config_invalid` when it is not an Ed25519 key or others can read it; it is never replaced
 */
export async function loadOrCreateKey(store: KeyStore): Promise<SigningKey> {
  const pem = (await store.read()) ?? (await store.create(newKeyPem()))
  knowSecrets(pemBodies(pem)) // it may come from a keyring, or be newer than this process
  return signingKeyFromPem(pem, store.place)
}

/**
 * A file of mode 0600; a folder that must be made gets 0700. Two processes that make it at once end up with the same
 * key.
 */
export function fileKeyStore(path: string): KeyStore {
  const read = (): string | null => {
    const info = lstatSync(path, { throwIfNoEntry: false })
    if (info === undefined) return null
    if (!info.isFile())
      throw new Problem(
        'config_invalid',
        `The signing key is not used: ${path} is not a regular file.`,
      )
    if (process.platform !== 'win32' && (info.mode & 0o077) !== 0)
      throw new Problem(
        'config_invalid',
        `The signing key is not used: ${path} can be read by others.`,
      )
    return readFileSync(path, 'utf8')
  }
  return {
    place: path,
    read: async () => read(),
    create: async (pem) => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
      // A link is made only where nothing is: the first of two processes wins, and the file is whole from its first
      // instant.
      const temporary = `${path}.${randomBytes(6).toString('hex')}.new`
      try {
        writeWhole(temporary, pem, { mode: 0o600 })
        linkSync(temporary, path)
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error
      } finally {
        rmSync(temporary, { force: true })
      }
      const kept = read()
      if (kept === null)
        throw new Problem('config_invalid', `The signing key could not be stored in ${path}.`)
      return kept
    },
  }
}
