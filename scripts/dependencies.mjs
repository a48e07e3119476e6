import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, say } from './paths.mjs'

/** Installs the locked dependencies once; again only when the lock file has changed. */
export function installDependencies() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex')
  const stamp = join(root, 'node_modules', '.openclaw-installed')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === lock) return
  say('Installing dependencies (once, about half a minute)')
  // Under `npm start` the path of the npm that runs us is known; a bare `npm` would need a shell on Windows.
  const npm = process.env.npm_execpath
  const [program, ...args] = npm ? [process.execPath, npm] : ['npm']
  const { status, error } = spawnSync(
    program,
    [...args, 'ci', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: root, stdio: 'inherit' },
  )
  if (error || status !== 0) {
    const why = error?.message ?? `npm ci ended with ${status}; its own message is printed above`
    throw new Error(`The dependencies could not be installed: ${why}.`)
  }
  writeFileSync(stamp, lock)
}
