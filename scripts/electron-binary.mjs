import { spawn } from 'node:child_process'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ownNode, root, say } from './paths.mjs'

const folder = join(root, 'node_modules', 'electron')
const triedStamp = join(root, 'node_modules', '.openclaw-electron-tried')
const limitMs = 180_000
const againAfterMs = 24 * 3600 * 1000

function installed() {
  try {
    const program = join(folder, 'dist', readFileSync(join(folder, 'path.txt'), 'utf8'))
    return existsSync(program) ? program : null
  } catch {
    return null // no path.txt: it was never fetched
  }
}

/**
 * The Electron program, fetched when it can be had. A failed try is remembered for a day, so that a machine without
 * access starts at once.
 * @returns {Promise<string|null>} null means: HQ opens in the browser instead, and why was said
 */
export async function findElectron() {
  const found = installed()
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY) {
    say('No display here: HQ opens in the browser')
    return null
  }
  if (found) return found
  if (existsSync(triedStamp) && Date.now() - statSync(triedStamp).mtimeMs < againAfterMs) {
    say('The Electron program could not be fetched last time: HQ opens in the browser')
    return null
  }
  say('Fetching the Electron program (once)')
  const ok = await new Promise((resolve) => {
    const child = spawn(ownNode(), [join(folder, 'install.js')], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'ignore'],
    })
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs)
    child.once('exit', (code) => {
      clearTimeout(timer)
      resolve(code === 0)
    })
    child.once('error', () => {
      clearTimeout(timer)
      resolve(false)
    })
  })
  if (ok) return installed()
  writeFileSync(triedStamp, new Date().toISOString())
  say('The Electron program is not available here: HQ opens in the browser')
  return null
}
