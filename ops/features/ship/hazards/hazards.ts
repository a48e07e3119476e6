// What makes a diff differ from what the change becomes: refused, or flagged for the reviewer.
import { Problem, type ErrorClass } from '#shared/errors'
import { withNeutralGit, type ChangedEntry, type NeutralGit } from '#ops/platform/git/neutral-diff'
import { readBlob, readInPieces } from '#ops/platform/git/objects'
import type { GitOptions } from '#ops/platform/git/run-git'
import type { Change } from '#ops/features/ship/state/change'
import { inspectCharacters } from './characters.ts'
import { sectionsOf, type DiffSection } from './diff-sections.ts'
import { isWritten } from './file-rules.ts'
import { flagsOf } from './flags.ts'
import { linksThatLeave } from './link-targets.ts'
import { modes } from './modes.ts'
import { collisions, fold, pathTrouble } from './path-rules.ts'
import { secretsIn } from './secrets-in-diff.ts'
import { TextDetector } from './text-in-disguise.ts'

const untouched = 'Nothing was pushed.'

/** A git that sees the objects of one repository, and the repository itself. */
interface Repository {
  readonly repo: string
  readonly neutral: NeutralGit
  readonly options: GitOptions
}

/**
 * Inspects a change for what makes its diff differ from what it becomes. Refused are: content that is in no diff
 * (submodules, source that git takes for binary), links out of the tree, names that mean another file on another
 * machine, characters that reverse the reading order, and secrets, which would stay in git for ever. What only
 * deserves special care is returned for the reviewer.
 *
 * @returns flags, a sentence part each
 * @throws {Problem} `submodule_refused`, `link_outside`, `unsafe_path`, `path_collision`, `hidden_characters`,
 *   `secret_in_diff`
 */
export function inspectHazards(
  { repo, base, head }: Change,
  options: GitOptions,
): Promise<string[]> {
  return withNeutralGit(
    repo,
    async (neutral) => {
      const repository: Repository = { repo, neutral, options }
      const entries = (await neutral.changedEntries(base, head)).filter(
        ({ after }) => after.object !== null,
      )
      const links = await refuseTree(repository, head, entries)
      const sections = sectionsOf(
        await neutral.diff(base, head),
        await neutral.changedFiles(base, head),
      )
      const executable = entries.filter(({ after }) => after.mode === modes.executable)
      const allowed = await refuseContent(
        repository,
        sections,
        new Set(executable.map(({ path }) => path)),
      )
      return [...flagsOf(entries, sections, links), ...allowed]
    },
    options,
  )
}

/**
 * Refuses paths, submodules and links. @param entries what the change adds or alters
 * @returns the links that the change sets, with their targets
 */
async function refuseTree(
  repository: Repository,
  head: string,
  entries: readonly ChangedEntry[],
): Promise<ReadonlyMap<string, string>> {
  refuse(
    'unsafe_path',
    entries.flatMap(({ path }) => {
      const why = pathTrouble(path)
      return why === null ? [] : [`${JSON.stringify(path)} ${why}`]
    }),
    'The change has a path that names a different file on some systems',
  )
  const withMode = (mode: string): string[] =>
    entries.filter(({ after }) => after.mode === mode).map(({ path }) => path)
  refuse(
    'submodule_refused',
    withMode(modes.submodule),
    'The change adds or moves a submodule, and no diff shows its content',
  )
  const changedLinks = new Set(withMode(modes.link))
  const links =
    changedLinks.size === 0 ? new Map<string, string>() : await linksOf(repository, head)
  refuse(
    'link_outside',
    linksThatLeave(links, changedLinks, fold).map((path) => `${path} → ${links.get(path) ?? ''}`),
    'The change has a link that leads out of the repository',
  )
  refuse(
    'path_collision',
    collisions(await repository.neutral.paths(head), new Set(entries.map(({ path }) => path))),
    'Two paths are the same file on systems that ignore letter case or Unicode normalization',
  )
  return new Map([...links].filter(([path]) => changedLinks.has(path)))
}

/**
 * Refuses unreadable source, reversed text and secrets.
 * @param executable paths of files that may be executed
 * @returns what its own comments allow, for the reviewer
 */
async function refuseContent(
  repository: Repository,
  sections: readonly DiffSection[],
  executable: ReadonlySet<string>,
): Promise<string[]> {
  refuse(
    'hidden_characters',
    await unreadable(repository, sections, executable),
    'Git treats source as binary, so no diff shows it',
  )
  refuse(
    'hidden_characters',
    sections.flatMap((section) => inspectCharacters(section).reversed ?? []),
    'Characters make source read in a different order than it runs',
  )
  const secrets = sections.map(secretsIn)
  refuse(
    'secret_in_diff',
    secrets.flatMap(({ refused }) => refused),
    'The change adds what looks like a secret',
  )
  return secrets.flatMap(({ allowed }) => allowed)
}

function refuse(errorClass: ErrorClass, found: readonly string[], what: string): void {
  const [first] = found
  if (first === undefined) return
  const more = found.length > 1 ? ` and ${found.length - 1} more` : ''
  throw new Problem(errorClass, `${what}: ${first}${more}. ${untouched}`, {
    evidence: found.slice(0, 50),
  })
}

/** Files that a person writes and that git takes for binary: then no diff shows what they say. */
async function unreadable(
  { repo, neutral, options }: Repository,
  sections: readonly DiffSection[],
  executable: ReadonlySet<string>,
): Promise<string[]> {
  const binary = sections.filter(({ file, blobs }) => file.binary && blobs.after !== null)
  const sizes = await neutral.sizes(binary.flatMap(({ blobs }) => blobs.after ?? []))
  const found: string[] = []
  for (const { file, blobs } of binary) {
    const { path } = file
    const id = blobs.after ?? ''
    const size = sizes.get(id) ?? 0
    const detector = new TextDetector({ path, size, executable: executable.has(path) })
    const onBytes = (piece: Buffer): void => detector.push(piece)
    if (!isWritten(path)) await readInPieces(repo, { id, size }, { ...options, onBytes })
    if (isWritten(path) || detector.isText()) found.push(path)
  }
  return found
}

/**
 * Targets of every link of a commit's tree.
 * @throws {Problem} `internal_error` when one cannot be read: then nothing is known of where it leads
 */
async function linksOf(
  { repo, neutral, options }: Repository,
  commit: string,
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
