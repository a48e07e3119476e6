import { app, session } from 'electron'
import { isPage } from './page.ts'

/**
 * What no window of HQ may do, whatever its page says: go elsewhere, open a window, hold another page, or be granted
 * camera, notifications and the like (Electron grants everything unless set otherwise).
 */
export function lockDown(): void {
  session.defaultSession.setPermissionRequestHandler((_contents, _permission, answer) =>
    answer(false),
  )
  session.defaultSession.setPermissionCheckHandler(() => false)
  app.on('web-contents-created', (_event, contents) => {
    contents.setWindowOpenHandler(({ url }) => {
      // HQ has one window: a link of its own page that would open another one is followed in it.
      if (isPage(url)) contents.loadURL(url).catch((error: unknown) => console.error(String(error)))
      return { action: 'deny' }
    })
    contents.on('will-navigate', (event) => {
      if (!isPage(event.url)) event.preventDefault()
    })
    contents.on('will-redirect', (event) => {
      if (!isPage(event.url)) event.preventDefault()
    })
    contents.on('will-attach-webview', (event) => event.preventDefault())
  })
}
