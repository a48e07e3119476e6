import { existsSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'
import { Problem } from '#shared/errors'
import { envValue, type Environment } from '#ops/base/env'
import { loadChromium } from './playwright.ts'

/** A browser on this machine. */
export interface BrowserProgram {
  readonly path: string
  /** For people. */
  readonly name: string
}

const macApp = (name: string): string => `/Applications/${name}.app/Contents/MacOS/${name}`
const windowsFolders = ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA']

/** Installed browsers in the order in which they are preferred: programs in PATH, and paths. */
const installed: readonly {
  readonly name: string
  readonly programs: readonly string[]
  readonly mac: string
  readonly windows: string
}[] = [
  {
    name: 'Google Chrome',
    programs: ['google-chrome-stable', 'google-chrome'],
    mac: macApp('Google Chrome'),
    windows: 'Google\\Chrome\\Application\\chrome.exe',
  },
  {
    name: 'Microsoft Edge',
    programs: ['microsoft-edge-stable', 'microsoft-edge'],
    mac: macApp('Microsoft Edge'),
    windows: 'Microsoft\\Edge\\Application\\msedge.exe',
  },
  {
    name: 'Chromium',
    // A snap (chromium-browser) sees another /tmp, so its profile could not be removed.
    programs: ['chromium'],
    mac: macApp('Chromium'),
    windows: 'Chromium\\Application\\chrome.exe',
  },
]

/**
 * Finds a browser that HQ can open: the one that `OPENCLAW_CHROMIUM` names, an installed Chrome, Edge or Chromium, or
 * the one that Playwright downloaded.
 * @returns null when there is none
 * @throws {Problem} `browser_missing` when `OPENCLAW_CHROMIUM` names a program that is not there
 */
export async function findBrowser(env: Environment): Promise<BrowserProgram | null> {
  const named = envValue('OPENCLAW_CHROMIUM', env)
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return { path: named, name: 'Chromium' }
    throw new Problem(
      'browser_missing',
      `OPENCLAW_CHROMIUM names ${named}, which does not exist. Nothing was opened.`,
    )
  }
  for (const { name, ...places } of installed) {
    const path = placesOf(places, env).find((each) => existsSync(each))
    if (path !== undefined) return { path, name }
  }
  const downloaded = (await loadChromium()).executablePath()
  return existsSync(downloaded) ? { path: downloaded, name: 'Chromium' } : null
}

function placesOf(
  { programs, mac, windows }: Omit<(typeof installed)[number], 'name'>,
  env: Environment,
): string[] {
  if (process.platform === 'darwin') return [mac, join(env['HOME'] ?? '/', mac)]
  if (process.platform === 'win32')
    return windowsFolders.flatMap((name) => {
      const folder = env[name]
      return folder === undefined ? [] : [join(folder, windows)]
    })
  return (env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => isAbsolute(folder) && !folder.startsWith('/snap/'))
    .flatMap((folder) => programs.map((program) => join(folder, program)))
}
