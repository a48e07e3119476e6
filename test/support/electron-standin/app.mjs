import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { strict } from './strict.mjs'

const description = JSON.parse(readFileSync(resolve('package.json'), 'utf8'))
const userData = process.argv
  .find((argument) => argument.startsWith('--user-data-dir='))
  ?.slice('--user-data-dir='.length)
if (!userData) throw new Error('electron stand-in: --user-data-dir is missing')
const paths = { home: homedir(), temp: tmpdir(), userData, logs: join(userData, 'logs') }

export const windows = new Set()
/** Set by electron.mjs once Chromium runs. */
export const running = { chromium: null }

class App extends EventEmitter {
  #quitting = false
  isPackaged = false
  ready = Promise.withResolvers()

  get quitting() {
    return this.#quitting
  }
  whenReady() {
    return this.ready.promise
  }
  isReady() {
    return running.chromium !== null
  }
  getName() {
    return description.productName ?? description.name
  }
  getVersion() {
    return description.version
  }
  getAppPath() {
    return process.cwd()
  }
  getPath(name) {
    if (!(name in paths)) throw new Error(`Failed to get '${name}' path`)
    return paths[name]
  }

  requestSingleInstanceLock() {
    return true
  } // a user data folder of its own is an instance of its own

  async quit() {
    if (this.#quitting) return
    let stopped = false
    const event = () => ({
      preventDefault: () => {
        stopped = true
      },
    })
    this.emit('before-quit', event())
    if (stopped) return
    for (const window of windows) if (!window.close()) return
    this.emit('will-quit', event())
    if (stopped) return
    this.emit('quit', {}, 0)
    await this.exit(0)
  }

  async exit(code = 0) {
    this.#quitting = true
    await running.chromium?.end()
    process.exit(code)
  }
}
export const bareApp = new App()
export const app = strict('app', bareApp)
