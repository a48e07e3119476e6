import { existsSync } from 'node:fs'
import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '#shared/errors'
import type { Environment } from '#ops/base/env'
import { hasCode } from '#shared/system-error'
import { runCommand } from '#ops/base/process/command'
import { installRoot, nodeProgram } from '#ops/base/process/program'
import { makeTemporary } from '#ops/base/process/temporary-folder'
import { browserEnvironment } from './browser-environment.ts'
import type { BrowserProgram } from './find-browser.ts'
import { loadChromium } from './playwright.ts'

/** Longest download, seconds. */
const limitSeconds = 1800
/** Pause between two looks at what has arrived, milliseconds. */
const lookMs = 500

interface DownloadOptions {
  readonly env: Environment
  readonly signal: AbortSignal
  /** Takes how far it is, for people. */
  readonly say: (text: string) => void
  readonly log: (text: string) => void
}

/**
 * Downloads Playwright's Chromium to where Playwright looks for it. Its installer is a separate program; how far it is
 * shows in the size of its files, whatever it prints.
 * @throws {Problem} `browser_missing` when it cannot be had; `cancelled` when `signal` fires
 */
export async function downloadBrowser(options: DownloadOptions): Promise<BrowserProgram> {
  const { env, signal, say, log } = options
  const folder = makeTemporary('browser-download')
  const over = new AbortController()
  const progress = sayProgress(folder, say, over.signal)
  try {
    const root = installRoot()
    const cli = join(root, 'node_modules', 'playwright-core', 'cli.js')
    const { exitCode } = await runCommand(
      // Browsers of other programs that use Playwright stay.
      [nodeProgram(root), cli, 'install', 'chromium', '--no-shell', '--no-remove', '--no-progress'],
      {
        cwd: folder,
        env: { ...browserEnvironment(env, folder), TEMP: folder, TMP: folder, TMPDIR: folder },
        timeLimitSeconds: limitSeconds,
        signal,
        onLine: (text) => log(text),
      },
    )
    const path = (await loadChromium()).executablePath()
    if (exitCode === 0 && existsSync(path)) return { path, name: 'Chromium' }
    throw new Problem(
      'browser_missing',
      'HQ found neither Chrome, Edge nor Chromium on this laptop, and could not download a browser. ' +
        'The log of HQ has the reason. Nothing was opened.',
    )
  } finally {
    over.abort()
    await progress
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Says how much has arrived, until `over` fires. */
async function sayProgress(
  folder: string,
  say: (text: string) => void,
  over: AbortSignal,
): Promise<void> {
  while (!over.aborted) {
    const bytes = await sizeOf(folder)
    if (bytes !== null && !over.aborted)
      say(`HQ downloads a browser: ${Math.floor(bytes / 1024 / 1024)} MiB so far`)
    await delay(lookMs, undefined, { signal: over }).catch(() => undefined)
  }
}

/** @returns what a folder holds, in bytes; null when a file was moved away meanwhile */
async function sizeOf(folder: string): Promise<number | null> {
  try {
    const sizes = (await readdir(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size)
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}
