// `node --import` this file: `electron` is then the stand-in, and the process says it is Electron's main process.
import { readFileSync } from 'node:fs'
import { createRequire, registerHooks } from 'node:module'

const standin = new URL('./electron.mjs', import.meta.url).href
const names = new Set(['electron', 'electron/main', 'electron/common'])
registerHooks({
  resolve: (name, context, next) =>
    names.has(name) ? { url: standin, format: 'module', shortCircuit: true } : next(name, context),
})
const { version } = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('electron/package.json'), 'utf8'),
)
Object.defineProperty(process.versions, 'electron', { value: version, enumerable: true })
process.type = 'browser'
