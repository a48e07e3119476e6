// What a reader overlooks easily: the reviewer judges each with special care.
import { posix } from 'node:path'
import type { ChangedEntry } from '#ops/platform/git/neutral-diff'
import { inspectCharacters } from './characters.ts'
import type { DiffSection } from './diff-sections.ts'
import { modes } from './modes.ts'

/** Attributes that let git alter a file, or hide it, between commit and working tree. */
const strongAttributes =
  /\b(?:filter|diff|merge|text|eol|crlf|ident|working-tree-encoding|export-ignore|export-subst|binary)\b/

/**
 * @param entries what the change adds or alters
 * @param links path and target of each link that the change sets
 * @returns a sentence part each
 */
export function flagsOf(
  entries: readonly ChangedEntry[],
  sections: readonly DiffSection[],
  links: ReadonlyMap<string, string>,
): string[] {
  return [...entries.flatMap((entry) => flagsOfEntry(entry, links)), ...sections.flatMap(flagsIn)]
}

function flagsOfEntry(
  { path, before, after }: ChangedEntry,
  links: ReadonlyMap<string, string>,
): string[] {
  const flags: string[] = []
  const link = links.get(path)
  if (link !== undefined) flags.push(`${path}: a link to ${JSON.stringify(link)}`)
  if (after.mode === modes.executable && before.mode !== modes.executable)
    flags.push(`${path}: can be executed now`)
  if (posix.basename(path) === '.gitmodules' && after.object !== null)
    flags.push(`${path}: names submodules`)
  return flags
}

function flagsIn(section: DiffSection): string[] {
  const { path } = section.file
  const setsAttributes =
    posix.basename(path) === '.gitattributes' &&
    strongAttributes.test(section.bytes.toString('utf8'))
  const isPointer = /^\+version https:\/\/git-lfs\.github\.com\/spec\/v1$/m.test(
    section.bytes.toString('latin1', 0, 4096),
  )
  return [
    ...(isPointer ? [`${path}: a pointer of Git LFS; its content is not shown`] : []),
    ...(setsAttributes
      ? [
          `${path}: sets attributes by which git alters or hides files; this review does not follow them`,
        ]
      : []),
    ...inspectCharacters(section).flags,
  ]
}
