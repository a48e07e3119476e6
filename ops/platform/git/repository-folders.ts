// Which folders a repository fills, found without starting a program: git itself could be one of its files.
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
} from 'node:fs'
import { basename, dirname, join, parse, resolve, sep } from 'node:path'
import { searchPath } from '#ops/base/env'

/**
 * Real paths of everything whose content a change can decide: the working tree around `folder`, every other working
 * tree of its repository, and the folder of git that they share.
 */
export function repositoryFolders(folder: string): string[] {
  const start = realOf(folder)
  const top = enclosingTree(start)
  if (top === null) return [start] // a bare repository, or none
  const common = commonFolder(top)
  const main = basename(common) === '.git' ? [dirname(common)] : []
  return [...new Set([top, common, ...main, ...linkedTrees(common)].map(realOf))]
}

/** Does this path, or any link on the way to what it names, lie in one of the folders? @param folders real paths */
export const liesIn = (path: string, folders: readonly string[]): boolean =>
  stepsTo(path).some((step) =>
    folders.some((folder) => step === folder || step.startsWith(folder + sep)),
  )

/**
 * Folders in which programs are found: no relative one, none that belongs to the repository, and none whose git is a
 * link into it.
 */
export function searchPathOutside(folder: string): string {
  const folders = repositoryFolders(folder)
  return searchPath((each) => !liesIn(each, folders) && !liesIn(join(each, 'git'), folders))
}

const realOf = (path: string): string => {
  try {
    return realpathSync.native(path)
  } catch {
    return resolve(path) // it does not exist
  }
}

/** Root of the working tree that a folder lies in, by its files alone; null: it lies in none. */
export function enclosingTree(start: string): string | null {
  for (let folder = start; ; folder = dirname(folder)) {
    const git = join(folder, '.git')
    if (lstatSync(git, { throwIfNoEntry: false })?.isFile() || existsSync(join(git, 'HEAD')))
      return folder
    if (folder === parse(folder).root) return null
  }
}

/** gitrepository-layout(5): the file `.git` of a linked working tree names its own folder below the shared one. */
function commonFolder(top: string): string {
  const git = join(top, '.git')
  const named = /^gitdir: (.+?)\r?\n?$/.exec(textOf(git))?.[1]
  if (named === undefined) return realOf(git)
  const own = realOf(resolve(top, named))
  const shared = textOf(join(own, 'commondir')).trim()
  return shared === '' ? own : realOf(resolve(own, shared))
}

const linkedTrees = (common: string): string[] =>
  namesIn(join(common, 'worktrees')).flatMap((name) => {
    const file = textOf(join(common, 'worktrees', name, 'gitdir')).trim()
    return file === '' ? [] : [dirname(resolve(common, 'worktrees', name, file))]
  })

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return '' // absent, or a folder
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return [] // there is none
  }
}

/** Most links on the way to one path, as Linux has it. */
const maxLinks = 40

/** Every path that the system passes on the way to what `path` names: each part of it, and of each link. */
function stepsTo(path: string): string[] {
  const steps: string[] = [resolve(path)]
  let { root: at } = parse(resolve(path))
  let left = partsOf(resolve(path))
  for (let links = 0; left.length > 0;) {
    const next = join(at, left[0] ?? '')
    left = left.slice(1)
    steps.push(next)
    const target = links < maxLinks ? linkOf(next) : null
    if (target === null) at = next
    else {
      links += 1
      const full = resolve(at, target)
      at = parse(full).root
      left = [...partsOf(full), ...left]
    }
  }
  return steps
}

const partsOf = (path: string): string[] =>
  path
    .slice(parse(path).root.length)
    .split(sep)
    .filter((part) => part !== '')

function linkOf(path: string): string | null {
  try {
    // Asked first: most are no links, and an error costs far more than the answer.
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(path) : null
  } catch {
    return null // below what is no folder, or not for us to see
  }
}
