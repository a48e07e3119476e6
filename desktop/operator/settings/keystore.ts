import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { sha256Of } from '#ops/base/sha256'
import { writeWhole } from '#ops/base/files/json-file'
import { knowSecrets } from '#ops/base/redact/redaction'

/** Where the admin tokens of hosts are kept on the laptop. The renderer never sees what is in it. */
export interface Keystore {
  /** `os`: the system's keyring. `file`: a file only this user can read. `none`: nothing is kept beyond this start. */
  readonly kind: 'os' | 'file' | 'none'
  get(key: string): Promise<string | null>
  set(key: string, value: string): Promise<void>
  delete(key: string): Promise<void>
}

/** Key of a host's token. Bound to the origin, so that a token typed for one address is never sent to another. */
export const hostTokenKey = (origin: string): string => `host-token ${origin}`

const secretPath = (home: string, key: string): string =>
  join(home, 'secrets', `${sha256Of(key).slice(0, 32)}.secret`)

/**
 * Reads a secret that only its owner can read.
 * @returns null when there is none
 * @throws {Problem} `host_not_enrolled` when it is not a regular file or others can read it
 */
export function readSecret(home: string, key: string): Buffer | null {
  const path = secretPath(home, key)
  if (!existsSync(path)) return null
  const info = lstatSync(path)
  if (!info.isFile())
    throw new Problem(
      'host_not_enrolled',
      `The stored token is not used: ${path} is not a regular file.`,
    )
  if (process.platform !== 'win32' && (info.mode & 0o077) !== 0)
    throw new Problem(
      'host_not_enrolled',
      `The stored token is not used: ${path} can be read by others. Enter the token again in Settings.`,
    )
  return readFileSync(path)
}

/** Writes it with mode 0600 in a folder of mode 0700. */
export function writeSecret(home: string, key: string, value: string | Uint8Array): void {
  const folder = join(home, 'secrets')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  chmodSync(folder, 0o700)
  writeWhole(secretPath(home, key), value, { mode: 0o600 })
}

export const removeSecret = (home: string, key: string): void =>
  rmSync(secretPath(home, key), { force: true })

/** Tokens in files of mode 0600, for `hq serve` and machines without a keyring. */
export const fileKeystore = (home: string): Keystore => ({
  kind: 'file',
  get: async (key) => readSecret(home, key)?.toString('utf8') ?? null,
  set: async (key, value) => {
    writeSecret(home, key, value)
  },
  delete: async (key) => {
    removeSecret(home, key)
  },
})

/** Tokens in memory, where the system has no keyring that protects them: HQ requests them again at its next start. */
export function memoryKeystore(): Keystore {
  const values = new Map<string, string>()
  return {
    kind: 'none',
    get: async (key) => values.get(key) ?? null,
    set: async (key, value) => {
      values.set(key, value)
    },
    delete: async (key) => {
      values.delete(key)
    },
  }
}

/** The same keystore; whatever passes through it is kept out of everything HQ writes from then on. */
export const rememberingKeystore = (keystore: Keystore): Keystore => ({
  get kind() {
    return keystore.kind // a keyring that is unlocked later is one from then on
  },
  get: async (key) => {
    const value = await keystore.get(key)
    if (value !== null) knowSecrets([value])
    return value
  },
  set: async (key, value) => {
    knowSecrets([value])
    await keystore.set(key, value)
  },
  delete: (key) => keystore.delete(key),
})
