import { safeStorage } from 'electron'
import { KeyringKeystore } from '../operator/settings/keyring-keystore.ts'
import { memoryKeystore, type Keystore } from '../operator/settings/keystore.ts'

/** How long the window waits for the keyring, milliseconds: one that is not locked answers at once. */
const limitMs = 3000

/**
 * The keyring of the system. Where Linux has none, Electron would use a fixed password (`basic_text`): that does not
 * protect a token, so nothing is kept then and HQ says so.
 */
export async function osKeystore(home: string, log: (text: string) => void): Promise<Keystore> {
  const unprotected =
    process.platform === 'linux' &&
    ['basic_text', 'unknown'].includes(safeStorage.getSelectedStorageBackend())
  if (unprotected) return memoryKeystore()
  return await KeyringKeystore.open({
    home,
    limitMs,
    log,
    keyring: {
      available: () => safeStorage.isAsyncEncryptionAvailable(),
      encrypt: (text) => safeStorage.encryptStringAsync(text),
      decrypt: async (sealed) => (await safeStorage.decryptStringAsync(sealed)).result,
    },
  })
}
