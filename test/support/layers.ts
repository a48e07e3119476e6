import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative, sep } from 'node:path'

/** One row of the layer table: what the files of a folder may import. */
export interface LayerRule {
  /** Own folders it may use, itself included. */
  readonly folders: readonly string[]
  /** The only packages it may use. Absent: any that `never` does not name. */
  readonly onlyPackages?: readonly string[]
  /** Packages it may not use; one that ends with `:` is a prefix. */
  readonly never?: readonly string[]
}

const base = ['shared', 'ops/base']
const platform = [...base, 'ops/platform']
const core = [...platform, 'ops/core']
const host = [...core, 'ops/host']
const features = [...host, 'ops/features']

const text = ['shared', 'desktop/renderer/text']
const bridge = ['shared', 'desktop/renderer/bridge']
const ui = [...text, 'desktop/renderer/bridge', 'desktop/renderer/ui']
const state = [...ui, 'desktop/renderer/state']
const pages = [...state, 'desktop/renderer/parts', 'desktop/renderer/log', 'desktop/renderer/pages']
const inNode = ['electron', 'react']
const inPage = ['node:', 'electron', 'fastify', 'execa']

/**
 * Who may import whom (docs/ARCHITECTURE.md). Imports go down only. The longest folder that holds a file is its row.
 */
export const layerRules: Readonly<Record<string, LayerRule>> = {
  shared: { folders: ['shared'], onlyPackages: ['zod'] },
  'shared/hostd-client': { folders: ['shared'], onlyPackages: ['zod', 'eventsource-parser'] },
  'ops/base': { folders: base, never: [...inNode, 'fastify'] },
  'ops/platform': { folders: platform, never: [...inNode, 'fastify'] },
  'ops/core': { folders: core, never: [...inNode, 'fastify'] },
  'ops/host': { folders: host, never: inNode },
  'ops/features': { folders: features, never: [...inNode, 'fastify'] },
  'ops/cli': { folders: [...features, 'ops/cli'], never: inNode },
  // Entry points: paths that an older release starts a newer one by.
  'ops/console': { folders: ['ops/host/console'], onlyPackages: [] },
  ops: { folders: [...features, 'ops/cli'], never: inNode },
  'hostd/log': { folders: [...host, 'hostd/log'], never: inNode },
  'hostd/runs': { folders: [...host, 'hostd/log', 'hostd/runs'], never: inNode },
  'hostd/http': { folders: [...host, 'hostd/log', 'hostd/runs', 'hostd/http'], never: inNode },
  'hostd/routes': {
    folders: [...host, 'hostd/log', 'hostd/runs', 'hostd/http', 'hostd/routes'],
    never: inNode,
  },
  hostd: { folders: [...host, 'hostd'], never: inNode },
  'desktop/operator/base': { folders: [...core, 'desktop/operator/base'], never: inNode },
  'desktop/operator': { folders: [...features, 'desktop/operator'], never: inNode },
  'desktop/main': {
    folders: ['shared', 'desktop/operator', 'desktop/main'],
    never: ['react', 'fastify'],
  },
  'desktop/serve': { folders: ['shared', 'desktop/operator', 'desktop/serve'], never: inNode },
  'desktop/preload': {
    folders: ['shared', 'desktop/preload'],
    never: ['node:', 'react', 'fastify'],
  },
  'desktop/renderer/text': { folders: text, never: inPage },
  'desktop/renderer/bridge': { folders: bridge, never: inPage },
  'desktop/renderer/ui': { folders: ui, never: inPage },
  'desktop/renderer/state': { folders: state, never: inPage },
  'desktop/renderer/parts': { folders: [...state, 'desktop/renderer/parts'], never: inPage },
  'desktop/renderer/log': { folders: [...state, 'desktop/renderer/log'], never: inPage },
  'desktop/renderer/pages': { folders: pages, never: inPage },
  'desktop/renderer': { folders: ['shared', 'desktop/renderer'], never: inPage },
}

const importPattern =
  /(?:^|\n)\s*(?:import|export)\s(?:[^'";]*?\sfrom\s)?\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|\brequire\(\s*['"]([^'"]+)['"]\s*\)/g
/** The environment of the process, however it is spelled. */
const environmentPattern =
  /\bprocess\s*(?:\?\.|\.)\s*env\b|\bprocess\s*\[\s*['"`]env['"`]\s*\]|\benv\b[^{}]*\}\s*=\s*process\b|\benv\b[^{};]*\}\s*from\s*['"](?:node:)?process['"]/
/** Files that may name it: its one reader, and the text of a program that the demo writes. */
const namesEnvironment = ['ops/base/env.ts', 'ops/cli/demo/sample-app.ts']
/** Entry points that Node runs as they lie; no bundle holds them. */
const runAsFiles = ['ops/main.ts', 'hostd/main.ts', 'desktop/serve/main.ts']
const sourceMetaPattern = /import\.meta\.(?:dirname|filename|url)|\b__dirname\b|\b__filename\b/

export interface Violation {
  readonly file: string
  readonly line: number
  readonly what: string
}

interface Import {
  readonly target: string
  readonly line: number
  /** Path of the file below the root; null for a package. */
  readonly path: string | null
}

const lineAt = (source: string, index: number): number => source.slice(0, index).split('\n').length
const slashes = (path: string): string => path.split(sep).join('/')
const isBelow = (path: string, folder: string): boolean =>
  path === folder || path.startsWith(`${folder}/`)

function importsOf(file: string, source: string): Import[] {
  return [...source.matchAll(importPattern)].map((match) => {
    const target = match[1] ?? match[2] ?? match[3] ?? ''
    const line = lineAt(source, match.index + match[0].indexOf(target))
    if (target.startsWith('#')) return { target, line, path: `${target.slice(1)}.ts` }
    if (target.startsWith('.'))
      return { target, line, path: slashes(normalize(join(dirname(file), target))) }
    return { target, line, path: null }
  })
}

/** The feature a path belongs to, or null. */
const featureOf = (path: string): string | null =>
  /^ops\/features\/([^/]+)\//.exec(path)?.[1] ?? null

/** A feature is entered through its index.ts, except by its own files and by the command line above it. */
function entersByTheSide(file: string, path: string): boolean {
  const feature = featureOf(path)
  if (feature === null || feature === featureOf(file)) return false
  const commandLine = isBelow(file, 'ops/cli') || file === 'ops/main.ts'
  return !commandLine && path !== `ops/features/${feature}/index.ts`
}

/** The page of HQ a path belongs to, or null. */
const pageOf = (path: string): string | null =>
  /^desktop\/renderer\/pages\/([^/]+)\//.exec(path)?.[1] ?? null

/** A page is entered through its index.ts, except by its own files. */
function entersAPage(file: string, path: string): boolean {
  const page = pageOf(path)
  if (page === null || page === pageOf(file)) return false
  return path !== `desktop/renderer/pages/${page}/index.ts`
}

/** Selftest judges planted compose files by the judge itself. */
const judgeInSelftest = {
  file: 'ops/features/selftest/compose-violations.ts',
  paths: ['ops/host/engines/compose/judge.ts', 'ops/host/engines/compose/model.ts'],
}

/** A feature uses an engine through the registry and the common folder, so that a new engine needs no change of it. */
function entersAnEngine(file: string, path: string): boolean {
  const engine = /^ops\/host\/engines\/([^/]+)\//.exec(path)?.[1]
  if (featureOf(file) === null || engine === undefined || engine === 'common') return false
  return file !== judgeInSelftest.file || !judgeInSelftest.paths.includes(path)
}

function violationOf(folder: string, file: string, { target, path }: Import): string | null {
  const { folders, onlyPackages, never = [] } = layerRules[folder] ?? { folders: [] }
  if (path !== null) {
    if (!folders.some((allowed) => isBelow(path, allowed)))
      return `${folder} may import ${folders.join(', ')}, not ${path}`
    if (entersAnEngine(file, path))
      return `a feature uses engines through ops/host/engines/registry.ts, not ${path}`
    if (entersAPage(file, path)) return `a page is imported through its index.ts only, not ${path}`
    return entersByTheSide(file, path)
      ? `a feature is imported through its index.ts only, not ${path}`
      : null
  }
  const name = target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/')
  if (onlyPackages && !onlyPackages.includes(name))
    return `${folder} may import only ${onlyPackages.join(', ') || 'its entry'}, not ${target}`
  const refused = never.some((each) =>
    each.endsWith(':') ? target.startsWith(each) : name === each || name === `${each}-dom`,
  )
  return refused ? `${folder} may not import ${target}` : null
}

/** Imports of one file that its folder may not have. @param file relative to the root, with `/` */
export function violationsIn(file: string, source: string): Violation[] {
  const [folder] = Object.keys(layerRules)
    .filter((name) => file.startsWith(`${name}/`))
    .toSorted((a, b) => b.length - a.length)
  if (folder === undefined) return []
  const found = importsOf(file, source).flatMap((each) => {
    const what = violationOf(folder, file, each)
    return what === null ? [] : [{ file, line: each.line, what }]
  })
  const meta = sourceMetaPattern.exec(source)
  if (meta && !runAsFiles.includes(file))
    found.push({
      file,
      line: lineAt(source, meta.index),
      what: 'no file is found relative to a source file (asar)',
    })
  const environment = environmentPattern.exec(source)
  if (environment && !namesEnvironment.includes(file))
    found.push({
      file,
      line: lineAt(source, environment.index),
      what: 'the environment is read by ops/base/env.ts only',
    })
  return found
}

/** Every source file below `root`, with its text. */
export function sourceFiles(root: string): Map<string, string> {
  const files = new Map<string, string>()
  for (const folder of ['shared', 'ops', 'hostd', 'desktop']) {
    for (const entry of readdirSync(join(root, folder), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/\.(?:ts|tsx)$/.test(entry.name) || entry.name.endsWith('.config.ts'))
        continue
      const path = join(entry.parentPath, entry.name)
      files.set(slashes(relative(root, path)), readFileSync(path, 'utf8'))
    }
  }
  return files
}

/** Files, or folders, that reach each other through imports. @returns each circle, its members sorted */
export function circles(files: ReadonlyMap<string, string>, of: 'files' | 'folders'): string[][] {
  const node = of === 'files' ? (path: string) => path : (path: string) => dirname(path)
  const graph = new Map<string, Set<string>>()
  for (const [file, source] of files) {
    const edges = graph.get(node(file)) ?? new Set()
    graph.set(node(file), edges)
    for (const { path } of importsOf(file, source))
      if (path !== null && files.has(path) && node(path) !== node(file)) edges.add(node(path))
  }
  return stronglyConnected(graph)
}

/** Tarjan's algorithm. @returns components of more than one node */
function stronglyConnected(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const index = new Map<string, number>()
  const low = new Map<string, number>()
  const stack: string[] = []
  const found: string[][] = []
  const visit = (node: string): number => {
    index.set(node, index.size)
    let lowest = index.size - 1
    stack.push(node)
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) lowest = Math.min(lowest, visit(next))
      else if (stack.includes(next)) lowest = Math.min(lowest, index.get(next) ?? lowest)
    }
    low.set(node, lowest)
    if (lowest === index.get(node)) {
      const component = stack.splice(stack.indexOf(node))
      if (component.length > 1) found.push(component.toSorted())
    }
    return lowest
  }
  for (const node of graph.keys()) if (!index.has(node)) visit(node)
  return found
}
