import { posix } from 'node:path'
import { Problem, type ErrorClass } from '#shared/errors'
import { withNeutralGit, type ChangedEntry, type NeutralGit } from '#ops/platform/git/neutral-diff'
import { bytesOf, readBlob } from '#ops/platform/git/objects'
import type { GitOptions } from '#ops/platform/git/run-git'
import { codePoint, hasBidi, hasUnseen, lookAtCharacters } from './characters.ts'
import { sectionsOf, type DiffSection } from './diff-sections.ts'
import { isTextInDisguise, isWritten } from './file-rules.ts'
import { linksThatLeave, namesGitFolder } from './link-targets.ts'
import { secretsIn } from './secrets-in-diff.ts'

const untouched = 'Nothing was pushed.'
/** Largest content that git takes for binary and that is looked into, in bytes. */
const largestLookedInto = 16 * 1024 * 1024
const modes = { link: '120000', submodule: '160000', executable: '100755' } as const

function refuse(errorClass: ErrorClass, found: readonly string[], what: string): void {
  const [first] = found
  if (first !== undefined)
    throw new Problem(
      errorClass,
      `${what}: ${first}${found.length > 1 ? ` and ${found.length - 1} more` : ''}. ${untouched}`,
      { evidence: found.slice(0, 50) },
    )
}

/** Why a path means another file, or none, on another machine; null: it is plain. */
function pathTrouble(path: string): string | null {
  if (path.includes('\uFFFD')) return 'is not valid UTF-8'
  if (hasBidi(path) || hasUnseen(path))
    return `holds ${Array.from(path)
      .filter((each) => hasBidi(each) || hasUnseen(each))
      .map(codePoint)
      .join(', ')}`
  if (path.includes('\\')) return 'holds a backslash'
  for (const part of path.split('/')) {
    if (namesGitFolder(part)) return "names git's own folder"
    if (/[. ]$/.test(part)) return 'has a name that ends with a dot or a blank'
  }
  return null
}

/** Equal for names that some file system takes for the same: by case, in all its foldings, or by how letters are composed. */
const fold = (name: string): string =>
  name.normalize('NFD').toUpperCase().toLowerCase().normalize('NFD')

/** Changed paths that some file system takes for the same as another one: by case, or by how letters are composed. */
function collisions(all: readonly string[], changed: ReadonlySet<string>): string[] {
  /** What changed, and every folder on the way to it. */
  const touched = new Set(
    [...changed].flatMap((path) =>
      path.split('/').map((_, at, parts) => parts.slice(0, at + 1).join('/')),
    ),
  )
  const seen = new Map<string, string>()
  const found: string[] = []
  const report = new Set<string>()
  for (const path of all) {
    const parts = path.split('/')
    for (let length = 1; length <= parts.length; length += 1) {
      const name = parts.slice(0, length).join('/')
      const key = fold(name)
      const other = seen.get(key)
      if (other === undefined) seen.set(key, name)
      else if (other !== name && !report.has(name)) {
        report.add(name)
        if (touched.has(name) || touched.has(other)) found.push(`${other} and ${name}`)
      }
    }
  }
  return found
}

/** Attributes that let git alter a file, or hide it, between commit and working tree. */
const strongAttributes =
  /\b(?:filter|diff|merge|text|eol|crlf|ident|working-tree-encoding|export-ignore|export-subst|binary)\b/

function flagsOf(
  entries: readonly ChangedEntry[],
  sections: readonly DiffSection[],
  links: ReadonlyMap<string, string>,
): string[] {
  const flags: string[] = []
  for (const { path, before, after } of entries) {
    const link = links.get(path)
    if (link !== undefined) flags.push(`${path}: a link to ${JSON.stringify(link)}`)
    if (after.mode === modes.executable && before.mode !== modes.executable)
      flags.push(`${path}: can be executed now`)
    if (posix.basename(path) === '.gitmodules' && after.object !== null)
      flags.push(`${path}: names submodules`)
  }
  for (const section of sections) {
    const { path } = section.file
    if (
      posix.basename(path) === '.gitattributes' &&
      strongAttributes.test(section.bytes.toString('utf8'))
    )
      flags.push(
        `${path}: sets attributes by which git alters or hides files; this review does not follow them`,
      )
    flags.push(...lookAtCharacters(section).flags)
  }
  return flags
}

/** Files that a person writes and that git takes for binary: then no diff shows what they say. */
async function unreadable(
  repo: string,
  sections: readonly DiffSection[],
  neutral: NeutralGit,
  options: GitOptions,
): Promise<string[]> {
  const binary = sections.filter(({ file, blobs }) => file.binary && blobs.after !== null)
  const sizes = await neutral.sizes(binary.flatMap(({ blobs }) => blobs.after ?? []))
  const found: string[] = []
  for (const { file, blobs } of binary) {
    if (isWritten(file.path)) found.push(file.path)
    else if (
      (sizes.get(blobs.after ?? '') ?? 0) <= largestLookedInto &&
      isTextInDisguise(file.path, await bytesOf(repo, blobs.after ?? '', options))
    )
      found.push(file.path)
  }
  return found
}

/** Targets of every link of a commit's tree. @throws {Problem} `internal_error` when one cannot be read: nothing could be said of where it leads */
async function linksOf(
  repo: string,
  commit: string,
  neutral: NeutralGit,
  options: GitOptions,
): Promise<Map<string, string>> {
  const links = new Map<string, string>()
  for (const { path, object } of await neutral.links(commit)) {
    const target = await readBlob(repo, object, options)
    if (target === null)
      throw new Problem(
        'internal_error',
        `Where the link ${path} leads cannot be read: ${repo} lacks ${object}.`,
      )
    links.set(path, target)
  }
  return links
}

/**
 * Looks for what makes a diff and the thing that it becomes differ: content that is in no diff (submodules, source that
 * git takes for binary), links out of the tree, names that are another file elsewhere, and characters that turn the
 * order of reading round. Those are refused, and so is a secret that the change adds: it would be in git for ever. What only deserves a closer look is returned for the reviewer.
 *
 * @returns flags, a sentence part each
 * @throws {Problem} `submodule_refused`, `link_outside`, `unsafe_path`, `path_collision`, `hidden_characters`, `secret_in_diff`
 */
export function lookForHazards(
  repo: string,
  base: string,
  head: string,
  options: GitOptions,
): Promise<string[]> {
  return withNeutralGit(
    repo,
    async (neutral) => {
      const entries = await neutral.changedEntries(base, head)
      const there = entries.filter(({ after }) => after.object !== null)
      refuse(
        'unsafe_path',
        there.flatMap(({ path }) => {
          const why = pathTrouble(path)
          return why === null ? [] : [`${JSON.stringify(path)} ${why}`]
        }),
        'The change has a path that is another one elsewhere',
      )
      refuse(
        'submodule_refused',
        there.filter(({ after }) => after.mode === modes.submodule).map(({ path }) => path),
        'The change sets a submodule, whose content is in no diff',
      )
      const set = new Set(
        there.filter(({ after }) => after.mode === modes.link).map(({ path }) => path),
      )
      const links =
        set.size === 0 ? new Map<string, string>() : await linksOf(repo, head, neutral, options)
      refuse(
        'link_outside',
        linksThatLeave(links, set, fold).map((path) => `${path} → ${links.get(path) ?? ''}`),
        'The change has a link that leads out of the tree',
      )
      refuse(
        'path_collision',
        collisions(await neutral.paths(head), new Set(there.map(({ path }) => path))),
        'Two paths are one file where case or composition of letters does not count',
      )

      const sections = sectionsOf(
        await neutral.diff(base, head),
        await neutral.changedFiles(base, head),
      )
      refuse(
        'hidden_characters',
        await unreadable(repo, sections, neutral, options),
        'Source that git takes for binary, so that no diff shows it',
      )
      refuse(
        'hidden_characters',
        sections.flatMap((section) => lookAtCharacters(section).turned ?? []),
        'Characters that show source in another order than it runs',
      )
      const secrets = sections.map(secretsIn)
      refuse(
        'secret_in_diff',
        secrets.flatMap(({ refused }) => refused),
        'The change adds what looks like a secret',
      )
      return [
        ...flagsOf(there, sections, new Map([...links].filter(([path]) => set.has(path)))),
        ...secrets.flatMap(({ allowed }) => allowed),
      ]
    },
    options,
  )
}
