import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folder of the package. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

export const say = (text) => process.stderr.write(`› ${text}\n`)

/** The package's own Node 24 where a package of it exists, else the one that runs this. */
export function ownNode() {
  const own = join(root, 'node_modules', '.bin', process.platform === 'win32' ? 'node.cmd' : 'node')
  return existsSync(own) ? own : process.execPath
}

/** Path of a package's program, as its package.json names it. */
export function bin(packageName, program) {
  const folder = join(root, 'node_modules', packageName)
  const { bin: entry } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  return join(folder, typeof entry === 'string' ? entry : entry[program])
}
