// Which files of an installation a program needs.
import { existsSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, relative } from 'node:path'
import { parseSync } from 'rolldown/utils'
import { z } from 'zod'
import { Problem } from '#shared/errors'
import { parseJson } from '#ops/base/files/json-file'

const manifest = z.looseObject({
  dependencies: z.record(z.string(), z.string()).optional(),
  peerDependencies: z.record(z.string(), z.string()).optional(),
  imports: z.record(z.string(), z.string()).optional(),
})
const readManifest = (path: string): z.output<typeof manifest> =>
  parseJson(readFileSync(path, 'utf8'), manifest, {
    errorClass: 'console_build_failed',
    origin: path,
  })

/**
 * What a source imports and exports from elsewhere, also types alone: those are erased, and following them costs
 * little. A parser reads it: texts hold such lines too.
 * @param path its suffix names the language; other files than sources import nothing
 * @throws {Problem} `console_build_failed` when it cannot be parsed
 */
function importsOf(path: string, text: string): readonly string[] {
  if (!/\.[cm]?[jt]sx?$/.test(path)) return []
  const { module, errors } = parseSync(path, text)
  const [error] = errors
  if (error !== undefined)
    throw new Problem(
      'console_build_failed',
      `The image of the console cannot be built: ${path} cannot be parsed: ${error.message} ` +
        'The running version is untouched.',
    )
  const { staticImports, staticExports, dynamicImports } = module
  return [
    ...staticImports.map(({ moduleRequest }) => moduleRequest.value),
    ...staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest }) => moduleRequest?.value ?? []),
    ),
    // Of these only the place is known; one that is worked out at run time names no file.
    ...dynamicImports.flatMap(({ moduleRequest: { start, end } }) => {
      const [, , name] = /^(['"])(.*)\1$/.exec(text.slice(start, end)) ?? []
      return name ?? []
    }),
  ]
}

const packageOf = (name: string): string =>
  name
    .split('/')
    .slice(0, name.startsWith('@') ? 2 : 1)
    .join('/')

/** Folder in which Node would find a package that `from` imports; null when it is not installed. */
function findPackage(root: string, from: string, name: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', name)
    if (existsSync(join(found, 'package.json'))) return found
    if (folder === root || folder === dirname(folder)) return null
  }
}

export interface ImageFiles {
  /** Source files, relative to the installation. */
  readonly sources: readonly string[]
  /** Folders of packages, relative to the installation. */
  readonly packages: readonly string[]
}

/**
 * The files that a program of the installation needs to run, and no others: the source files that its imports reach,
 * and the packages that those name, with their dependencies.
 * @param entry path of the program, relative to `installed`
 * @throws {Problem} `console_build_failed` when a file or package is missing
 */
export function programFiles(installed: string, entry: string): ImageFiles {
  const aliases = Object.entries(readManifest(join(installed, 'package.json')).imports ?? {})
  const sources = new Set<string>()
  const packages = new Set<string>()
  const missing = (what: string, by: string): Problem =>
    new Problem(
      'console_build_failed',
      `The image of the console cannot be built: ${by} needs ${what}, which is missing. ` +
        'The running version is untouched.',
    )

  const takePackage = (name: string, from: string, optional = false): void => {
    const folder = findPackage(installed, from, name)
    if (folder === null) {
      if (optional) return
      throw missing(`the package ${name}`, relative(installed, from) || 'it')
    }
    const path = relative(installed, folder)
    if (packages.has(path)) return
    packages.add(path)
    const { dependencies = {}, peerDependencies = {} } = readManifest(join(folder, 'package.json'))
    for (const each of Object.keys(dependencies)) takePackage(each, folder)
    for (const each of Object.keys(peerDependencies)) takePackage(each, folder, true)
  }
  const resolve = (name: string, from: string): string | null => {
    if (name.startsWith('.')) return join(dirname(from), name)
    for (const [alias, target] of aliases) {
      const [before = '', after = ''] = alias.split('*')
      if (name.startsWith(before) && name.endsWith(after))
        return target
          .replace('*', name.slice(before.length, name.length - after.length))
          .replace(/^\.\//, '')
    }
    return null
  }
  const takeSource = (path: string, by: string): void => {
    if (sources.has(path)) return
    const full = join(installed, path)
    if (!existsSync(full)) throw missing(path, by)
    sources.add(path)
    for (const name of importsOf(path, readFileSync(full, 'utf8'))) {
      const file = resolve(name, path)
      if (file !== null) takeSource(file, path)
      else if (!name.startsWith('node:') && !builtinModules.includes(name))
        takePackage(packageOf(name), installed)
    }
  }
  takeSource(entry, 'the console')
  return { sources: [...sources].toSorted(), packages: [...packages].toSorted() }
}
