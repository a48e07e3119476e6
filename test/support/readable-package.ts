import { chmodSync, copyFileSync, cpSync, linkSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { programFiles } from '#ops/host/console/image-files'

/** A part of the package that every user of the machine may read, wherever the package itself lies. */
export interface ReadablePackage {
  /** Path of the source file in the copy. */
  readonly entry: string
  /** Node, likewise readable. */
  readonly node: string
  remove(): void
}

/**
 * Copies what one source file needs to run. A clone in a private home (mode 0700) cannot be read by another user, and
 * some tests run a program as one.
 * @param entry path of the source file, relative to the package
 */
export function readablePackage(entry: string): ReadablePackage {
  const root = process.cwd()
  const dir = mkdtempSync(join(tmpdir(), 'openclaw-readable-'))
  chmodSync(dir, 0o755)
  const { sources, packages } = programFiles(root, entry)
  for (const path of ['package.json', ...sources, ...packages]) {
    mkdirSync(dirname(join(dir, path)), { recursive: true })
    cpSync(join(root, path), join(dir, path), { recursive: true })
  }
  const node = join(dir, 'node')
  try {
    linkSync(process.execPath, node)
  } catch {
    copyFileSync(process.execPath, node) // another file system
  }
  return {
    entry: join(dir, entry),
    node,
    remove: () => rmSync(dir, { recursive: true, force: true }),
  }
}
