// Paths that mean another file, or no file, on another machine.
import { codePoint, hasBidi, hasUnseen } from './characters.ts'
import { namesGitFolder } from './link-targets.ts'

/** Why a path means another file on another machine; null: it is plain. */
export function pathTrouble(path: string): string | null {
  if (path.includes('\uFFFD')) return 'is not valid UTF-8'
  if (hasBidi(path) || hasUnseen(path))
    return `contains ${Array.from(path)
      .filter((each) => hasBidi(each) || hasUnseen(each))
      .map(codePoint)
      .join(', ')}`
  if (path.includes('\\')) return 'contains a backslash'
  for (const part of path.split('/')) {
    if (namesGitFolder(part)) return 'contains the name of the folder .git'
    if (/[. ]$/.test(part)) return 'has a name that ends with a dot or a space'
  }
  return null
}

/**
 * Equal for names that some file system takes for the same: by case, in all its foldings, or by how letters are
 * composed.
 */
export const fold = (name: string): string =>
  name.normalize('NFD').toUpperCase().toLowerCase().normalize('NFD')

/**
 * Changed paths that some file system takes for the same as another one: by case, or by how letters are composed.
 * @param all every path of the tree
 */
export function collisions(all: readonly string[], changed: ReadonlySet<string>): string[] {
  const touched = new Set([...changed].flatMap(withFolders))
  const seen = new Map<string, string>()
  const reported = new Set<string>()
  const found: string[] = []
  for (const name of all.flatMap(withFolders)) {
    const key = fold(name)
    const other = seen.get(key)
    if (other === undefined) seen.set(key, name)
    else if (other !== name && !reported.has(name)) {
      reported.add(name)
      if (touched.has(name) || touched.has(other)) found.push(`${other} and ${name}`)
    }
  }
  return found
}

/** A path, preceded by every folder on the way to it. */
const withFolders = (path: string): string[] =>
  path.split('/').map((_, at, parts) => parts.slice(0, at + 1).join('/'))
