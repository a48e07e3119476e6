import { join } from 'node:path'
import { app, BrowserWindow, nativeTheme } from 'electron'
import { pageUrl } from './page.ts'

/** Opens the window of HQ on its page. It shows when there is something to see. */
export async function openWindow(): Promise<BrowserWindow> {
  const window = new BrowserWindow({
    width: 1280,
    height: 840,
    minWidth: 880,
    minHeight: 560,
    show: false,
    title: app.getName(),
    autoHideMenuBar: true,
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#0d0f12' : '#ffffff',
    webPreferences: {
      preload: join(app.getAppPath(), 'out', 'preload', 'index.cjs'),
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
      navigateOnDragDrop: false,
      spellcheck: false,
      devTools: !app.isPackaged,
    },
  })
  let closed = false
  window.once('close', () => {
    closed = true
  })
  window.once('ready-to-show', () => window.show())
  try {
    await window.loadURL(pageUrl)
  } catch (error) {
    // Closed before its first page was loaded: HQ quits as after any other close.
    if (!closed) throw error
  }
  return window
}
