import { hasCode } from '#shared/system-error'
import { readFile } from 'node:fs/promises'
import { extname, join, normalize, sep } from 'node:path'
import { protocol } from 'electron'
import { pageHeaders } from '../operator/page-headers.ts'

/** The page has its own scheme and host instead of file://, which would give it rights over other files. */
const scheme = 'app'
const host = 'hq'
export const pageUrl = `${scheme}://${host}/`

/** Is this address one of our page? Compared part by part: a prefix would also fit `app://hq.evil`. */
export function isPage(address: string): boolean {
  if (!URL.canParse(address)) return false
  const url = new URL(address)
  return url.protocol === `${scheme}:` && url.host === host
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
}

/** Must be called before the app is ready. */
export const registerPageScheme = (): void =>
  protocol.registerSchemesAsPrivileged([
    { scheme, privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ])

/** Answers `app://hq/…` from the built page. @param folder of the built page */
export function servePage(folder: string): void {
  protocol.handle(scheme, async (request) => {
    const url = new URL(request.url)
    if (request.method !== 'GET' || url.host !== host) return new Response(null, { status: 403 })
    const path = normalize(decodeURIComponent(url.pathname))
    // A path without a file name ending is a page of the app.
    const file = join(folder, extname(path) === '' ? 'index.html' : path)
    const type = types[extname(file)]
    if (type === undefined || !file.startsWith(folder + sep))
      return new Response(null, { status: 404 })
    try {
      return new Response(await readFile(file), {
        headers: { ...pageHeaders, 'content-type': type },
      })
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return new Response(null, { status: 404 })
      throw error
    }
  })
}
