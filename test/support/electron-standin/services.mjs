// The smaller modules of Electron.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { strict } from './strict.mjs'

/** A keyring that lasts as long as the process. */
const key = randomBytes(32)
export const safeStorage = strict('safeStorage', {
  getSelectedStorageBackend: () => process.env['STANDIN_KEYRING'] ?? 'gnome_libsecret',
  isAsyncEncryptionAvailable: async () => true,
  encryptStringAsync: async (text) => {
    const iv = randomBytes(12)
    const cipher = createCipheriv('aes-256-gcm', key, iv)
    const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
    return Buffer.concat([iv, cipher.getAuthTag(), body])
  },
  decryptStringAsync: async (bytes) => {
    const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, 12))
    decipher.setAuthTag(bytes.subarray(12, 28))
    return {
      result: Buffer.concat([decipher.update(bytes.subarray(28)), decipher.final()]).toString(
        'utf8',
      ),
      shouldReEncrypt: false,
    }
  },
})

/** Electron grants everything that no handler refuses. */
let checkPermission = () => true
export const permissionNames = ['geolocation', 'notifications', 'midi', 'camera', 'microphone']
export const isGranted = (permission, origin) =>
  checkPermission(null, permission, origin, {}) !== false
export const session = strict('session', {
  defaultSession: strict('session', {
    // Chromium without a screen asks nobody; what counts is the check below
    setPermissionRequestHandler: () => undefined,
    setPermissionCheckHandler: (handler) => {
      checkPermission = handler
    },
  }),
})

class NativeTheme extends EventEmitter {
  shouldUseDarkColors = false
}
export const nativeTheme = strict('nativeTheme', new NativeTheme())

export class Notification extends EventEmitter {
  static isSupported() {
    return true
  }
  constructor({ title, body }) {
    super()
    this.title = title
    this.body = body
  }

  show() {
    this.emit('show', {})
  }
}
