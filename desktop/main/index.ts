import { join } from 'node:path'
import { app, BrowserWindow } from 'electron'
import { fileKeystore } from '../operator/settings/keystore.ts'
import { hqLog } from '../operator/base/log-file.ts'
import { createOperator } from '../operator/operator.ts'
import { envValue, setVariables, wholeEnvironment } from '../operator/base/env.ts'
import { operatorPaths } from '../operator/base/paths.ts'
import { describeThrown, loadSecrets, redactCrashes, sayError } from '../operator/base/redaction.ts'
import { handleBridge } from './ipc.ts'
import { lockDown } from './lockdown.ts'
import { notifyRunEnded } from './notify.ts'
import { osKeystore } from './os-keystore.ts'
import { registerPageScheme, servePage } from './page.ts'
import { openWindow } from './window.ts'

/** HQ as a desktop app: window, bridge and operator in one process; all other work is done by child processes. */

/** Programs that plain Node starts cannot lie inside the archive of a packaged app; they lie beside it. */
const installFolder = (): string => app.getAppPath().replace(/app\.asar$/, 'app.asar.unpacked')

const raise = (): void => {
  const [window] = BrowserWindow.getAllWindows()
  if (!window) return
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}

async function start(): Promise<void> {
  setVariables({ OPENCLAW_HQ_INSTALL: envValue('OPENCLAW_HQ_INSTALL') ?? installFolder() })
  const { home, version } = operatorPaths()
  const log = hqLog(home)
  loadSecrets()
  redactCrashes({ say: log, end: () => app.exit(70) })
  await app.whenReady()
  lockDown()
  servePage(join(app.getAppPath(), 'out', 'renderer'))
  // The demo's sandbox keeps its own secrets, so that removing the sandbox removes them.
  const keystore =
    envValue('OPENCLAW_HQ_DEMO') === '1' ? fileKeystore(home) : await osKeystore(home, log)
  const operator = createOperator({
    mode: 'desktop',
    home,
    version,
    keystore,
    env: wholeEnvironment(),
    log,
    onRunEnded: (end) => notifyRunEnded(end, raise),
  })
  const endBridge = handleBridge(operator)

  let closed = false
  app.on('before-quit', (event) => {
    if (closed) return
    event.preventDefault()
    endBridge()
    operator
      .close()
      .catch((error: unknown) => log(String(error)))
      .finally(() => {
        closed = true
        app.quit()
      })
  })
  app.on('window-all-closed', () => app.quit())
  app.on('second-instance', raise)
  await openWindow()
}

registerPageScheme()
if (app.requestSingleInstanceLock()) {
  start().catch((error: unknown) => {
    sayError(`HQ could not start: ${describeThrown(error)}`)
    app.exit(1)
  })
} else {
  app.quit()
}
