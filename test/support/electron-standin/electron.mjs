// The module `electron` of the main process. Starts Chromium when it is imported, as Electron is there before the app.
import { join } from 'node:path'
import { app, bareApp, running } from './app.mjs'
import { startChromium } from './chromium.mjs'
import { ipcMain } from './ipc-main.mjs'
import { closeRegistration, protocol } from './scheme.mjs'
import { nativeTheme, Notification, safeStorage, session } from './services.mjs'
import { strict } from './strict.mjs'
import { BrowserWindow } from './window.mjs'

export { app, BrowserWindow, ipcMain, nativeTheme, Notification, protocol, safeStorage, session }
const electron = strict(
  'electron',
  { app, BrowserWindow, ipcMain, nativeTheme, Notification, protocol, safeStorage, session },
  { bind: false },
)
export default electron

const program = process.env['STANDIN_CHROMIUM']
if (!program) throw new Error('electron stand-in: STANDIN_CHROMIUM is not set')
const chromium = await startChromium(program, join(app.getPath('userData'), 'chromium'))
await chromium.send('Target.setDiscoverTargets', { discover: true })
running.chromium = chromium
process.on('exit', () => chromium.child.kill('SIGKILL'))
chromium.child.once('exit', () => {
  if (bareApp.quitting) return
  process.stderr.write('electron stand-in: Chromium went away\n')
  process.exit(70)
})
process.on('SIGTERM', () => void bareApp.quit())

// `evaluate()` of a test: a function of the test, run here with this module.
process.on('message', async ({ id, source, argument }) => {
  try {
    process.send({ id, value: await (0, eval)(`(${source})`)(electron, argument) })
  } catch (error) {
    process.send({ id, error: String(error?.stack ?? error) })
  }
})
process.send?.({ endpoint: chromium.url })
// The app's own module runs first, then it becomes ready.
setImmediate(() => {
  closeRegistration()
  bareApp.ready.resolve()
  bareApp.emit('ready')
})
