// What HQ uses of Electron 45 and Electron 33 does not have, before the built main process as it is.
const { execFile } = require('node:child_process')
const modules = require('node:module')
const { setTimeout: delay } = require('node:timers/promises')
const { pathToFileURL } = require('node:url')
const { promisify } = require('node:util')
const { safeStorage } = require('electron')

// Node 20 has no node:sqlite; the main process only locks files with it.
const sqlite = pathToFileURL(require.resolve('./sqlite.mjs')).href
modules.register(
  `data:text/javascript,${encodeURIComponent(`
    export const resolve = (name, context, next) =>
      name === 'node:sqlite'
        ? { url: ${JSON.stringify(sqlite)}, format: 'module', shortCircuit: true }
        : next(name, context)`)}`,
)

/** Asks the keyring without starting a prompt. */
const ask = async (object, method, ...args) => {
  const bus = ['call', '--session', '--timeout', '5', '--dest', 'org.freedesktop.secrets']
  const call = ['--object-path', object, '--method', method, ...args]
  const { stdout } = await promisify(execFile)('gdbus', bus.concat(call))
  return stdout
}

const isLocked = async () => {
  try {
    const service = 'org.freedesktop.Secret.Service.ReadAlias'
    const [, collection] = /'(.+)'/.exec(await ask('/org/freedesktop/secrets', service, 'default'))
    const property = ['org.freedesktop.Secret.Collection', 'Locked']
    const answer = await ask(collection, 'org.freedesktop.DBus.Properties.Get', ...property)
    return answer.includes('true')
  } catch {
    return true // between two daemons
  }
}

/** Electron 33 stops the whole main process until the keyring is unlocked; Electron 45 only the promise. */
async function unlocked() {
  if (safeStorage.getSelectedStorageBackend() !== 'gnome_libsecret') return
  while (await isLocked()) await delay(200)
}
const afterUnlock = (work) => async (input) => {
  await unlocked()
  return work(input)
}
safeStorage.isAsyncEncryptionAvailable = afterUnlock(() => safeStorage.isEncryptionAvailable())
safeStorage.encryptStringAsync = afterUnlock((text) => safeStorage.encryptString(text))
safeStorage.decryptStringAsync = afterUnlock((bytes) => ({
  result: safeStorage.decryptString(bytes),
  shouldReEncrypt: false,
}))
