import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'

/**
 * Who may import whom (design §3). For each folder: the own folders it may use, and the packages (by prefix) it may not.
 * The longest folder that holds a file is its rule.
 */
const rules: Record<string, { folders: string[]; onlyPackages?: string[]; never?: string[] }> = {
  shared: { folders: ['shared'], onlyPackages: ['zod'] },
  ops: { folders: ['shared', 'ops'], never: ['electron', 'react'] },
  hostd: { folders: ['shared', 'ops', 'hostd'], never: ['electron', 'react'] },
  'desktop/operator': {
    folders: ['shared', 'ops', 'desktop/operator'],
    never: ['electron', 'react'],
  },
  'desktop/main': {
    folders: ['shared', 'desktop/operator', 'desktop/main'],
    never: ['react', 'fastify'],
  },
  'desktop/serve': {
    folders: ['shared', 'desktop/operator', 'desktop/serve'],
    never: ['electron', 'react'],
  },
  'desktop/preload': {
    folders: ['shared', 'desktop/preload'],
    never: ['node:', 'react', 'fastify'],
  },
  'desktop/renderer': {
    folders: ['shared', 'desktop/renderer'],
    never: ['node:', 'electron', 'fastify', 'execa'],
  },
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|\brequire\(\s*['"]([^'"]+)['"]\s*\)/g
const sourceMetaPattern = /import\.meta\.(?:dirname|filename|url)|\b__dirname\b|\b__filename\b/

export interface Violation {
  readonly file: string
  readonly line: number
  readonly what: string
}

const lineAt = (text: string, index: number): number => text.slice(0, index).split('\n').length

/** Imports of one file that its folder may not have. @param file relative to the root, with `/` */
export function violationsIn(file: string, text: string): Violation[] {
  const folder = Object.keys(rules)
    .filter((name) => file.startsWith(`${name}/`))
    .toSorted((a, b) => b.length - a.length)[0]
  if (folder === undefined) return []
  const rule = rules[folder]
  if (!rule) return []
  const found: Violation[] = []
  for (const match of text.matchAll(importPattern)) {
    const target = match[1] ?? match[2] ?? match[3] ?? ''
    const at = { file, line: lineAt(text, (match.index ?? 0) + match[0].indexOf(target)) }
    const inside = target.startsWith('.')
      ? normalize(join(dirname(file), target))
          .split(sep)
          .join('/')
      : target.startsWith('#')
        ? target.slice(1)
        : null
    if (inside === null) {
      const package_ = target.startsWith('@')
        ? target.split('/').slice(0, 2).join('/')
        : (target.split('/')[0] ?? target)
      if (rule.onlyPackages && !rule.onlyPackages.includes(package_))
        found.push({
          ...at,
          what: `${folder} may import only ${rule.onlyPackages.join(', ')}, not ${target}`,
        })
      if (
        rule.never?.some((name) =>
          name.endsWith(':')
            ? target.startsWith(name)
            : package_ === name || package_ === `${name}-dom`,
        )
      )
        found.push({ ...at, what: `${folder} may not import ${target}` })
    } else if (
      !rule.folders.some((allowed) => inside === allowed || inside.startsWith(`${allowed}/`))
    ) {
      found.push({ ...at, what: `${folder} may import ${rule.folders.join(', ')}, not ${inside}` })
    }
  }
  const meta = sourceMetaPattern.exec(text)
  if (meta)
    found.push({
      file,
      line: lineAt(text, meta.index),
      what: 'no file is found relative to a source file (asar)',
    })
  return found
}

/** All violations of the tree below `root`, and how many files were read. */
export function violationsBelow(root: string): { violations: Violation[]; files: number } {
  const violations: Violation[] = []
  let files = 0
  for (const folder of ['shared', 'ops', 'hostd', 'desktop']) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(?:ts|tsx)$/.test(entry.name) || entry.name.endsWith('.config.ts'))
        continue
      const path = join(entry.parentPath, entry.name)
      files += 1
      violations.push(
        ...violationsIn(relative(root, path).split(sep).join('/'), readFileSync(path, 'utf8')),
      )
    }
  }
  return { violations, files }
}
