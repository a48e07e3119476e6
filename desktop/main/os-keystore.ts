import { safeStorage } from 'electron'
import { Problem } from '#shared/errors'
import {
  memoryKeystore,
  readSecret,
  removeSecret,
  writeSecret,
  type Keystore,
} from '../operator/settings/keystore.ts'

/**
 * Tokens encrypted by the system's keyring, the ciphertext in a file of mode 0600. Where Linux has no keyring, Electron
 * would use a fixed password (`basic_text`): that does not protect them, so nothing is kept then and HQ says so.
 */
export async function osKeystore(home: string): Promise<Keystore> {
  const unprotected =
    process.platform === 'linux' &&
    ['basic_text', 'unknown'].includes(safeStorage.getSelectedStorageBackend())
  if (unprotected || !(await safeStorage.isAsyncEncryptionAvailable())) return memoryKeystore()
  const sealed = (key: string): string => `os ${key}`
  return {
    kind: 'os',
    get: async (key) => {
      const secret = readSecret(home, sealed(key))
      if (secret === null) return null
      try {
        return (await safeStorage.decryptStringAsync(secret)).result
      } catch (error) {
        throw new Problem(
          'host_not_enrolled',
          'The keyring of this system could not decrypt the stored token. Enter the token again in Settings.',
          { cause: error },
        )
      }
    },
    set: async (key, value) => {
      writeSecret(home, sealed(key), await safeStorage.encryptStringAsync(value))
    },
    delete: async (key) => {
      removeSecret(home, sealed(key))
    },
  }
}
