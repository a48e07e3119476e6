import { createHash } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bin, ownNode, root, say } from './paths.mjs'

/** What the built desktop app and renderer are made of. */
const sources = ['desktop', 'shared', 'ops', 'package-lock.json', 'electron.vite.config.ts']
const stamp = join(root, 'out', '.sources')
const outputs = ['out/main/index.js', 'out/preload/index.cjs', 'out/renderer/index.html'].map(
  (path) => join(root, path),
)

function digest() {
  const hash = createHash('sha256')
  for (const source of sources) {
    const files = source.includes('.')
      ? [source]
      : readdirSync(join(root, source), { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
          .toSorted()
    for (const file of files)
      hash
        .update(file)
        .update('\0')
        .update(readFileSync(join(root, file)))
        .update('\0')
  }
  return hash.digest('hex')
}

/** Builds all of out/, except what is of these very sources already. */
export function build({ force = false } = {}) {
  buildDesktop(force)
  const { status } = spawnSync(ownNode(), [join(root, 'scripts', 'programs.mjs')], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0)
    throw new Error('The programs of HQ could not be bundled; the reason is printed above.')
}

/** Builds main, preload and renderer. */
function buildDesktop(force) {
  const now = digest()
  if (
    !force &&
    outputs.every((path) => existsSync(path)) &&
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === now
  )
    return
  say('Building HQ')
  const { status } = spawnSync(
    ownNode(),
    [bin('electron-vite', 'electron-vite'), 'build', '--logLevel', 'warn'],
    { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] },
  )
  if (status !== 0) throw new Error('HQ could not be built; the reason is printed above.')
  const missing = outputs.filter((path) => !existsSync(path))
  if (missing.length > 0)
    throw new Error(`The build succeeded, but did not write ${missing.join(', ')}.`)
  writeFileSync(stamp, now)
}
