import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Changes of single files: path to a function of its text. */
export type Changes = Readonly<Record<string, (text: string) => string>>

/** Folders of the package that a host runs or bundles; the page is a small one. */
const folders = ['shared', 'ops', 'hostd', 'desktop', 'scripts']
const files = [
  'package.json',
  'package-lock.json',
  'openclaw.config.json',
  'compose.yaml',
  'docs/OPENCLAW_NEXT.md',
]

/**
 * HQ's own repository in small, as text: this package, with a version of its own and some files changed.
 * @throws when a change leaves its file as it was: then the test would test nothing
 */
export function hqPackage(
  root: string,
  version: string,
  changes: Changes = {},
): Record<string, string> {
  const paths = [
    ...files,
    ...folders.flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1)),
    ),
  ]
  const found = Object.fromEntries(
    paths
      .filter((path) => existsSync(join(root, path)))
      .map((path) => [path, readFileSync(join(root, path), 'utf8')]),
  )
  found['out/renderer/index.html'] = `<!doctype html><title>HQ ${version}</title>`
  const all: Changes = {
    'package.json': (text) => text.replace(/"version": "[^"]+"/, `"version": "${version}"`),
    ...changes,
  }
  for (const [path, change] of Object.entries(all)) {
    const before = found[path] ?? ''
    const after = change(before)
    if (after === before) throw new Error(`${path} was not changed`)
    found[path] = after
  }
  return found
}
