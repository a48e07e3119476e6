// Schemes of the app. Chromium knows only its own, so `app://hq/x` is shown to it as
// `https://hq.app.standin.invalid/x`.
import { strict } from './strict.mjs'

const suffix = '.standin.invalid'
const privileged = new Map()
const handlers = new Map()

export const toChromium = (address) => {
  const url = new URL(address)
  const scheme = url.protocol.slice(0, -1)
  return privileged.has(scheme)
    ? `https://${url.host}.${scheme}${suffix}${url.pathname}${url.search}${url.hash}`
    : address
}
export const fromChromium = (address) => {
  if (!URL.canParse(address)) return address
  const url = new URL(address)
  if (!url.hostname.endsWith(suffix)) return address
  const parts = url.hostname.slice(0, -suffix.length).split('.')
  const scheme = parts.pop()
  return `${scheme}://${parts.join('.')}${url.pathname}${url.search}${url.hash}`
}

/** The app's own answer to a request, or null when it is not for one of its schemes. */
export async function answerOf({ url, method, headers }) {
  const address = fromChromium(url)
  const handler = handlers.get(new URL(address).protocol.slice(0, -1))
  return handler && address !== url ? handler(new Request(address, { method, headers })) : null
}

let ready = false
export const closeRegistration = () => {
  ready = true
}
export const protocol = strict('protocol', {
  registerSchemesAsPrivileged: (schemes) => {
    if (ready)
      throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready')
    for (const { scheme, privileges } of schemes) {
      if (!privileges?.standard || !privileges.secure)
        throw new Error('electron stand-in: only standard, secure schemes are modelled')
      privileged.set(scheme, privileges)
    }
  },
  handle: (scheme, handler) => {
    if (!privileged.has(scheme))
      throw new Error(
        `electron stand-in: protocol.handle is modelled for privileged schemes only, not ${scheme}`,
      )
    handlers.set(scheme, handler)
  },
})
