// Links that lead out of the tree, followed as the system follows them.

/**
 * Links that lead out of the tree or into git's folder because of a link that the change sets: itself, or one on its
 * route. `..` is resolved as the system resolves it, after the part before it: `a/../x` lies beside where `a` leads.
 *
 * @param links path and target of every link of the tree
 * @param changed paths of those that the change sets
 * @param fold gives one result for names that some file system takes for the same
 * @returns paths in the order of `links`
 */
export function linksThatLeave(
  links: ReadonlyMap<string, string>,
  changed: ReadonlySet<string>,
  fold: (path: string) => string,
): string[] {
  const folded = new Map([...links].map((link) => [fold(link[0]), link] as const))
  const exact: LinkAt = (path) => {
    const target = links.get(path)
    return target === undefined ? null : [path, target]
  }
  const folding: LinkAt = (path) => folded.get(fold(path)) ?? null
  return [...links]
    .filter(([path, target]) =>
      [exact, folding].some((linkAt) => {
        const { leaves, through } = follow(path, target, linkAt)
        return leaves && through.some((each) => changed.has(each))
      }),
    )
    .map(([path]) => path)
}

/**
 * Is this name git's own folder, also on a file system that ignores case, unseen characters, or what follows the name?
 */
export const namesGitFolder = (part: string): boolean =>
  /^(?:\.git[. ]*(?::.*)?|git~\d+)$/i.test(
    part.replaceAll(/\p{Default_Ignorable_Code_Point}/gu, ''),
  )

/**
 * Most links that are followed for one path, as Linux does (path_resolution(7)). More is a circle, which leads nowhere.
 */
const maxFollowed = 40

interface Route {
  readonly leaves: boolean
  /** The links on the route, the first one included. */
  readonly through: readonly string[]
}

type LinkAt = (path: string) => readonly [path: string, target: string] | null

/** @param linkAt the link at a path of the tree, with its target; null: there is none */
function follow(path: string, target: string, linkAt: LinkAt): Route {
  const through = [path]
  const at = path.split('/').slice(0, -1)
  const ahead: string[] = []
  /** @returns false when it leaves at once */
  const turn = (to: string): boolean => {
    if (to === '' || to.includes('\\') || to.includes('\0') || /^(?:\/|~|[a-z]:)/i.test(to))
      return false
    ahead.unshift(...to.split('/'))
    return true
  }
  if (!turn(target)) return { leaves: true, through }
  for (let part = ahead.shift(); part !== undefined; part = ahead.shift()) {
    if (part === '' || part === '.') continue
    if (part === '..') {
      if (at.pop() === undefined) return { leaves: true, through }
      continue
    }
    if (namesGitFolder(part)) return { leaves: true, through }
    at.push(part)
    const link = linkAt(at.join('/'))
    if (link === null) continue
    if (through.length > maxFollowed) return { leaves: false, through }
    at.pop()
    through.push(link[0])
    if (!turn(link[1])) return { leaves: true, through }
  }
  return { leaves: false, through }
}
