import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { createRequire } from 'node:module'
import { bin, ownNode, root, say } from './paths.mjs'

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome']
const usualPlaces = {
  darwin: [
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ],
  win32: [
    'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
    'C:\\Program Files (x86)\\Google\\Chrome\\Application\\chrome.exe',
  ],
}

function installed() {
  if (process.env.OPENCLAW_CHROMIUM) return process.env.OPENCLAW_CHROMIUM
  const inPath = (process.env.PATH ?? '')
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
  return (
    [...inPath, ...(usualPlaces[process.platform] ?? [])].find((path) => existsSync(path)) ?? null
  )
}

/** Playwright's own, if it is there. */
function playwrights() {
  const { chromium } = createRequire(join(root, 'package.json'))('playwright')
  const path = chromium.executablePath()
  return existsSync(path) ? path : null
}

/**
 * A browser for the tests: an installed Chrome or Chromium, else Debian's when we may install it, else Playwright's.
 * @returns {string} path of the program
 * @throws {Error} when none can be had
 */
export function findBrowser() {
  const there = installed() ?? playwrights()
  if (there) return there
  if (process.platform === 'linux' && process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    say('Installing Chromium for the tests (once)')
    const options = {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    }
    spawnSync('apt-get', ['update', '-qq'], options)
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', 'chromium'], options)
    const debian = installed()
    if (debian) return debian
  }
  say("Fetching Playwright's Chromium for the tests (once)")
  spawnSync(ownNode(), [bin('playwright', 'playwright'), 'install', 'chromium'], {
    cwd: root,
    stdio: 'inherit',
  })
  const fetched = playwrights()
  if (!fetched)
    throw new Error(
      'The tests need Chrome or Chromium, and none is installed or could be fetched. Install one, or name it ' +
        'in OPENCLAW_CHROMIUM.',
    )
  return fetched
}
