// BrowserWindow and WebContents over a tab of Chromium.
import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { readFileSync } from 'node:fs'
import { bareApp, running, windows } from './app.mjs'
import { makeClone } from './clone.mjs'
import { receive } from './ipc-main.mjs'
import { mainWorld, makePeer, preloadWorld } from './page-side.mjs'
import { answerOf, fromChromium, toChromium } from './scheme.mjs'
import { isGranted, permissionNames } from './services.mjs'
import { strict } from './strict.mjs'

const world = 'electron-standin-preload'
const clone = makeClone()
let lastContents = 0

class WebContents extends EventEmitter {
  #window
  #openHandler = () => ({ action: 'allow' })
  url = ''
  constructor(window) {
    super()
    this.#window = window
    lastContents += 1
    this.id = lastContents
  }

  getURL() {
    return this.url
  }
  isDestroyed() {
    return this.#window.isDestroyed()
  }
  /** Within the page that is loaded: as far as HQ uses it. */
  async loadURL(url) {
    await this.#window.command('Page.navigate', { url: toChromium(url) })
  }
  setWindowOpenHandler(handler) {
    this.#openHandler = handler
  }
  opens(details) {
    return this.#openHandler(details).action
  }
  send(channel, ...args) {
    this.#window.deliver({ type: 'send', channel, args })
  }
}

class Window extends EventEmitter {
  #session = null
  #target = null
  #context = null
  #frame = null
  #gone = false
  #visible
  #loading = false
  /** Whether the app denied the window that the page wants to open; null: the page has not said that it wants one. */
  #denied = null
  #unannounced = []
  #attached
  constructor(options) {
    super()
    if (!running.chromium) throw new Error('Cannot create BrowserWindow before app is ready')
    const {
      preload,
      nodeIntegration = false,
      contextIsolation = true,
      sandbox = true,
      webviewTag = false,
    } = options.webPreferences ?? {}
    if (nodeIntegration || !contextIsolation || !sandbox || webviewTag)
      throw new Error(
        'electron stand-in: only sandboxed, context-isolated windows without webviews are modelled',
      )
    this.#visible = options.show !== false
    this.bareContents = new WebContents(this)
    this.webContents = strict('webContents', this.bareContents)
    this.#attached = this.#attach(preload, options)
    this.#attached.catch(() => undefined) // loadURL, which every window gets, throws it
    windows.add(this)
    bareApp.emit('web-contents-created', {}, this.webContents)
  }

  async #attach(preload, { width = 800, height = 600 }) {
    const { chromium } = running
    chromium.listen((message) => {
      this.#hear(message)
    })
    this.#target = (
      await chromium.send('Target.createTarget', {
        url: 'about:blank',
        newWindow: true,
        width,
        height,
      })
    ).targetId
    this.#session = (
      await chromium.send('Target.attachToTarget', { targetId: this.#target, flatten: true })
    ).sessionId
    await this.command('Page.enable')
    await this.command('Runtime.enable')
    await this.command('Fetch.enable', { patterns: [{ urlPattern: '*' }] })
    this.#frame = (await this.command('Page.getFrameTree')).frameTree.frame.id
    if (preload) await this.#addPreload(readFileSync(preload, 'utf8'))
  }

  async #addPreload(source) {
    const nonce = randomBytes(8).toString('hex')
    const [page, isolated] = [`"standin-${nonce}-page"`, `"standin-${nonce}-preload"`]
    const env = JSON.stringify({
      platform: process.platform,
      arch: process.arch,
      versions: process.versions,
    })
    await this.command('Runtime.addBinding', { name: '__standinSend', executionContextName: world })
    await this.command('Page.addScriptToEvaluateOnNewDocument', {
      source: `if (window === top) (${mainWorld})((${makePeer})(${page}, ${isolated}));`,
    })
    await this.command('Page.addScriptToEvaluateOnNewDocument', {
      worldName: world,
      source:
        `if (window === top) { const w = (${preloadWorld})((${makePeer})(${isolated}, ${page}), ` +
        `(${makeClone})(), ${env}, globalThis.__standinSend); ` +
        `(function (require, process, module, exports) {\n` +
        `${source}\n` +
        '})(w.require, w.process, { exports: {} }, {}); }',
    })
  }

  command(method, params) {
    return running.chromium.send(method, params, this.#session)
  }

  deliver(message) {
    if (this.#context === null || this.#gone) return
    this.command('Runtime.evaluate', {
      contextId: this.#context,
      expression: `__standinDeliver(${JSON.stringify(clone.toText(message))})`,
    }).catch(() => undefined) // the page went away meanwhile, as it can in Electron
  }

  #hear({ method, params, sessionId }) {
    if (method === 'Target.targetDestroyed' && params.targetId === this.#target)
      return this.#closed()
    if (
      method === 'Target.targetCreated' &&
      params.targetInfo.openerId === this.#target &&
      params.targetInfo.type === 'page'
    )
      return this.#opened(params.targetInfo.targetId)
    if (sessionId !== this.#session || sessionId === null) return undefined
    switch (method) {
      case 'Fetch.requestPaused':
        return void this.#request(params).catch((error) => {
          if (!this.#gone) process.stderr.write(`electron stand-in: ${error.stack}\n`)
        })
      case 'Page.windowOpen': {
        this.#denied =
          this.bareContents.opens({
            url: fromChromium(params.url),
            frameName: params.windowName,
            disposition: 'foreground-tab',
            features: '',
          }) === 'deny'
        for (const targetId of this.#unannounced.splice(0)) this.#opened(targetId)
        return undefined
      }
      case 'Runtime.executionContextCreated': {
        if (params.context.name === world && params.context.auxData.frameId === this.#frame)
          this.#context = params.context.id
        return undefined
      }
      case 'Runtime.executionContextsCleared': {
        this.#context = null
        return undefined
      }
      case 'Page.frameNavigated': {
        if (params.frame.parentId) return undefined
        this.bareContents.url = fromChromium(params.frame.url + (params.frame.urlFragment ?? ''))
        return this.bareContents.emit('did-navigate', {}, this.bareContents.url)
      }
      case 'Page.loadEventFired': {
        this.bareContents.emit('did-finish-load')
        return this.emit('ready-to-show')
      }
      case 'Runtime.bindingCalled':
        return params.name === '__standinSend'
          ? void this.#message(clone.fromText(params.payload))
          : undefined
      case 'Runtime.exceptionThrown':
        return void process.stderr.write(
          `[renderer] ${params.exceptionDetails.exception?.description ?? params.exceptionDetails.text}\n`,
        )
      default:
        return undefined
    }
  }

  /** Each request of the page: one of the app's own schemes, or one that `will-navigate` may stop. */
  async #request({ requestId, request, frameId, resourceType }) {
    if (resourceType === 'Document' && frameId === this.#frame && !this.#loading) {
      let stopped = false
      this.bareContents.emit('will-navigate', {
        url: fromChromium(request.url),
        preventDefault: () => {
          stopped = true
        },
      })
      if (stopped) return this.command('Fetch.failRequest', { requestId, errorReason: 'Aborted' })
    }
    const answer = await answerOf(request)
    if (answer === null) return this.command('Fetch.continueRequest', { requestId })
    return this.command('Fetch.fulfillRequest', {
      requestId,
      responseCode: answer.status,
      responseHeaders: [...answer.headers].map(([name, value]) => ({ name, value })),
      body: Buffer.from(await answer.arrayBuffer()).toString('base64'),
    })
  }

  #message(message) {
    const url = this.bareContents.url
    const senderFrame = {
      url,
      origin: URL.canParse(url) ? new URL(url).origin : 'null',
      parent: null,
    }
    return receive(message, { sender: this.webContents, senderFrame }, (reply) =>
      this.deliver(reply),
    )
  }

  /** Chromium may report the new target before the page's wish to open it. */
  #opened(targetId) {
    if (this.#denied === null) return void this.#unannounced.push(targetId)
    if (!this.#denied)
      throw new Error(
        'electron stand-in: a window the app allowed the page to open is not modelled',
      )
    running.chromium.send('Target.closeTarget', { targetId }).catch(() => undefined) // it closed itself already
  }

  #closed() {
    if (this.#gone) return
    this.#gone = true
    windows.delete(this)
    this.bareContents.emit('destroyed')
    this.emit('closed')
    if (windows.size > 0 || bareApp.quitting) return
    if (bareApp.listenerCount('window-all-closed') > 0) bareApp.emit('window-all-closed')
    else void bareApp.quit()
  }

  async loadURL(url) {
    await this.#attached
    this.#loading = true
    try {
      await this.#applyPermissions(url)
      const loaded = new Promise((resolve) => {
        this.bareContents.once('did-finish-load', resolve)
      })
      const { errorText } = await this.command('Page.navigate', { url: toChromium(url) })
      if (errorText) throw new Error(`${errorText} loading '${url}'`)
      await loaded
    } finally {
      this.#loading = false
    }
  }

  async #applyPermissions(url) {
    const { protocol, origin } = new URL(toChromium(url))
    if (protocol !== 'https:') return
    for (const name of permissionNames) {
      await running.chromium.send('Browser.setPermission', {
        permission: { name },
        setting: isGranted(name, origin) ? 'granted' : 'denied',
        origin,
      })
    }
  }

  show() {
    this.#visible = true
    this.emit('show')
  }
  focus() {
    this.emit('focus')
  }
  restore() {
    this.show()
  }
  isVisible() {
    return this.#visible
  }
  isMinimized() {
    return false
  }
  isDestroyed() {
    return this.#gone
  }

  close() {
    let stopped = false
    this.emit('close', {
      preventDefault: () => {
        stopped = true
      },
    })
    if (stopped) return false
    if (this.#target)
      // Chromium ends with it
      running.chromium.send('Target.closeTarget', { targetId: this.#target }).catch(() => undefined)
    this.#closed()
    return true
  }
}

const faces = new WeakMap()
const face = (window) => {
  if (!faces.has(window)) faces.set(window, strict('BrowserWindow', window))
  return faces.get(window)
}
export const BrowserWindow = new Proxy(Window, {
  construct: (_target, [options = {}]) => face(new Window(options)),
  get: (_target, key) => {
    if (key === 'getAllWindows') return () => [...windows].map(face)
    if (key === 'prototype' || typeof key === 'symbol') return Reflect.get(Window, key)
    throw new Error(`electron stand-in: BrowserWindow.${key} is not modelled`)
  },
})
