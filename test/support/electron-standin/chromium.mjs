// Starts Chromium and speaks the DevTools protocol with it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'

const startMs = 180_000
const endMs = 20_000

const switches = (userData) => [
  '--remote-debugging-port=0',
  `--user-data-dir=${userData}`,
  '--headless=new',
  '--no-startup-window',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--password-store=basic',
  '--use-mock-keychain',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-extensions',
  '--disable-features=Translate,MediaRouter,OptimizationHints',
  // No name is looked up: what the page may load comes from the stand-in or from this machine.
  '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1',
  // Chromium's own sandbox does not start as root.
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
]

export async function startChromium(program, userData) {
  const child = spawn(program, switches(userData), { stdio: ['ignore', 'ignore', 'pipe'] })
  const url = await devtoolsUrl(child)
  const socket = new WebSocket(url)
  await once(socket, 'open')

  let last = 0
  const waiting = new Map()
  const listeners = new Set()
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data)
    if (message.id === undefined) {
      for (const listener of listeners) listener(message)
      return
    }
    const call = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.error) call?.reject(new Error(`${call.method}: ${message.error.message}`))
    else call?.resolve(message.result)
  }
  socket.onclose = () => {
    for (const call of waiting.values()) call.reject(new Error('Chromium has gone'))
    waiting.clear()
  }
  const send = (method, params = {}, sessionId = undefined) =>
    new Promise((resolve, reject) => {
      if (socket.readyState !== WebSocket.OPEN) return reject(new Error('Chromium has gone'))
      last += 1
      waiting.set(last, { resolve, reject, method })
      socket.send(JSON.stringify({ id: last, method, params, sessionId }))
    })
  return {
    url,
    child,
    send,
    listen: (listener) => {
      listeners.add(listener)
    },
    end: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      const timer = setTimeout(() => child.kill('SIGKILL'), endMs)
      send('Browser.close').catch(() => child.kill('SIGKILL'))
      await gone
      clearTimeout(timer)
    },
  }
}

function devtoolsUrl(child) {
  let said = ''
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Chromium did not start: ${said}`)), startMs)
    child.once('error', reject)
    child.once('exit', (code) => reject(new Error(`Chromium ended with ${code}: ${said}`)))
    child.stderr.on('data', (data) => {
      said = (said + data).slice(-8000)
      const found = /DevTools listening on (ws:\S+)/.exec(said)
      if (!found) return
      clearTimeout(timer)
      resolve(found[1])
    })
  })
}
