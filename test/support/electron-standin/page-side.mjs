// Functions whose source runs in the page. `makePeer` runs in both worlds and lets one call functions of the other;
// values in an event's `detail` are cloned by Chromium when they cross worlds, so functions and promises go by number.
export function makePeer(out, incoming) {
  const mark = '\u0001peer'
  const own = new Map()
  const promised = new Map()
  let last = 0
  const keep = (value) => {
    last += 1
    own.set(last, value)
    return last
  }

  const put = (value) => {
    if (typeof value === 'function') return { [mark]: 'function', id: keep(value) }
    if (value instanceof Promise) {
      last += 1
      const id = last
      value.then(
        (result) => tell('settle', { id, ok: put(result) }),
        (error) => tell('settle', { id, failed: put(error) }),
      )
      return { [mark]: 'promise', id }
    }
    if (value instanceof Error) return { [mark]: 'error', message: value.message }
    if (Array.isArray(value)) return value.map(put)
    if (value === null || typeof value !== 'object') return value
    return Object.fromEntries(Object.keys(value).map((key) => [key, put(value[key])]))
  }
  const take = (value) => {
    if (value === null || typeof value !== 'object') return value
    if (Array.isArray(value)) return value.map(take)
    if (value[mark] === 'function')
      return (...args) => ask('call', { id: value.id, args: put(args) })
    if (value[mark] === 'promise')
      return new Promise((resolve, reject) => {
        promised.set(value.id, { resolve, reject })
      })
    if (value[mark] === 'error') return new Error(value.message)
    return Object.fromEntries(Object.keys(value).map((key) => [key, take(value[key])]))
  }
  const tell = (kind, body) =>
    window.dispatchEvent(new CustomEvent(out, { detail: { kind, ...body } }))
  // Events are dispatched at once, so the answer is there when the dispatch returns.
  const ask = (kind, body) => {
    let answer
    const hear = (event) => {
      answer = event.detail
    }
    window.addEventListener(`${incoming}:answer`, hear, { once: true })
    tell(kind, body)
    window.removeEventListener(`${incoming}:answer`, hear)
    if (!answer) throw new Error('electron stand-in: the other world does not answer')
    if ('failed' in answer) throw take(answer.failed)
    return take(answer.ok)
  }
  const does = {
    call: ({ id, args }) => own.get(id)(...take(args)),
  }
  window.addEventListener(incoming, ({ detail }) => {
    if (detail.kind === 'settle') {
      const waiting = promised.get(detail.id)
      promised.delete(detail.id)
      if ('ok' in detail) waiting.resolve(take(detail.ok))
      else waiting.reject(take(detail.failed))
      return
    }
    let answer
    try {
      answer = { ok: put(does[detail.kind](detail)) }
    } catch (error) {
      answer = { failed: put(error) }
    }
    window.dispatchEvent(new CustomEvent(`${out}:answer`, { detail: answer }))
  })
  return { ask, put, take, does }
}

/** The page's own world: puts on `window` what the preload exposes, so that it cannot be replaced. */
export function mainWorld(peer) {
  peer.does.expose = ({ key, api }) => {
    if (key in window)
      throw new Error('Cannot bind an API on top of an existing property on the window object')
    Object.defineProperty(window, key, {
      value: peer.take(api),
      enumerable: true,
      writable: false,
      configurable: false,
    })
  }
}

/** The isolated world of the preload: `require('electron')` and a process of its own. */
export function preloadWorld(peer, clone, env, send) {
  const listeners = new Map()
  const invoked = new Map()
  let last = 0
  const ipcRenderer = {
    invoke: (channel, ...args) =>
      new Promise((resolve, reject) => {
        last += 1
        const text = clone.toText({ type: 'invoke', id: last, channel, args })
        invoked.set(last, { resolve, reject, channel })
        send(text)
      }),
    send: (channel, ...args) => send(clone.toText({ type: 'send', channel, args })),
    on: (channel, listener) => {
      listeners.set(channel, [...(listeners.get(channel) ?? []), listener])
      return ipcRenderer
    },
    removeListener: (channel, listener) => {
      listeners.set(
        channel,
        (listeners.get(channel) ?? []).filter((each) => each !== listener),
      )
      return ipcRenderer
    },
  }
  globalThis.__standinDeliver = (text) => {
    const message = clone.fromText(text)
    if (message.type === 'send') {
      for (const listener of listeners.get(message.channel) ?? [])
        listener({ sender: ipcRenderer, ports: [] }, ...message.args)
      return
    }
    const call = invoked.get(message.id)
    invoked.delete(message.id)
    if (message.error === undefined) call?.resolve(message.result)
    else call?.reject(new Error(`Error invoking remote method '${call.channel}': ${message.error}`))
  }
  const refuse = (label, object) =>
    new Proxy(object, {
      get(target, key) {
        if (key in target || typeof key === 'symbol') return target[key]
        throw new Error(`electron stand-in: ${label}.${key} is not modelled`)
      },
    })
  const electron = refuse('electron (preload)', {
    ipcRenderer: refuse('ipcRenderer', ipcRenderer),
    contextBridge: refuse('contextBridge', {
      exposeInMainWorld: (key, api) => {
        peer.ask('expose', { key, api: peer.put(api) })
      },
    }),
  })
  return {
    process: { ...env, env: {}, type: 'renderer', sandboxed: true, contextIsolated: true },
    require: (name) => {
      if (name === 'electron' || name === 'electron/renderer') return electron
      throw new Error(`module not found: ${name} (a sandboxed preload can require electron only)`)
    },
  }
}
