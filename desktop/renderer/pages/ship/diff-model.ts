import gitDiffParser, { type Change, type File } from 'gitdiff-parser'
import type { Finding } from '#shared/verdict'
import { plainPath } from './diff-path.ts'
import { visibleText } from '../../text/visible-text.ts'

export interface DiffRow {
  readonly kind: 'add' | 'del' | 'same' | 'hunk'
  readonly old: number | null
  readonly new: number | null
  readonly text: string
  readonly findings: readonly Finding[]
}
export interface DiffFile {
  readonly path: string
  readonly change: File['type']
  readonly binary: boolean
  readonly additions: number
  readonly deletions: number
  readonly rows: readonly DiffRow[]
  /** About the file as a whole, or about a line that the diff does not show. */
  readonly loose: readonly Finding[]
  readonly findings: number
  readonly blocking: boolean
}

function numbers(change: Change): { old: number | null; new: number | null } {
  if (change.type === 'insert') return { old: null, new: change.lineNumber }
  if (change.type === 'delete') return { old: change.lineNumber, new: null }
  return { old: change.oldLineNumber, new: change.newLineNumber }
}
const kinds = { insert: 'add', delete: 'del', normal: 'same' } as const
const none: readonly Finding[] = []

/**
 * The reviewed diff as files and rows, each finding beside the line it is about. Files that the kept part of the diff
 * does not reach stay in the list. The text is data from the repository: control characters are written out.
 */
export function diffFiles(
  diff: string | null,
  files: readonly string[],
  findings: readonly Finding[],
): DiffFile[] {
  const parsed = diff === null || diff === '' ? [] : parse(diff)
  const seen = new Set(parsed.map(pathOf))
  const shown = parsed.map((file) =>
    toFile(
      file,
      findings.filter((finding) => finding.file === pathOf(file)),
    ),
  )
  const rest = [...new Set([...files, ...findings.map(({ file }) => file)])].filter(
    (path) => !seen.has(path),
  )
  return [
    ...shown,
    ...rest.map((path): DiffFile => {
      const own = findings.filter((finding) => finding.file === path)
      return {
        path,
        change: 'modify',
        binary: false,
        additions: 0,
        deletions: 0,
        rows: [],
        loose: own,
        findings: own.length,
        blocking: own.some(({ severity }) => severity === 'blocking'),
      }
    }),
  ]
}

function parse(diff: string): File[] {
  try {
    return gitDiffParser.parse(diff)
  } catch {
    return [] // a diff cut at its head may end anywhere; the files are listed without it
  }
}

const pathOf = (file: File): string =>
  plainPath(file.type === 'delete' ? file.oldPath : file.newPath)

function toFile(file: File, findings: readonly Finding[]): DiffFile {
  const rows: DiffRow[] = []
  const placed = new Set<Finding>()
  let additions = 0
  let deletions = 0
  for (const hunk of file.hunks) {
    rows.push({
      kind: 'hunk',
      old: null,
      new: null,
      text: visibleText(hunk.content),
      findings: none,
    })
    for (const change of hunk.changes) {
      const at = numbers(change)
      if (change.type === 'insert') additions += 1
      if (change.type === 'delete') deletions += 1
      const here = findings.filter(
        (finding) => !placed.has(finding) && finding.line > 0 && at.new === finding.line,
      )
      for (const finding of here) placed.add(finding)
      rows.push({
        kind: kinds[change.type],
        ...at,
        text: visibleText(change.content),
        findings: here.length > 0 ? here : none,
      })
    }
  }
  return {
    path: pathOf(file),
    change: file.type,
    binary: file.isBinary === true,
    additions,
    deletions,
    rows,
    loose: findings.filter((finding) => !placed.has(finding)),
    findings: findings.length,
    blocking: findings.some(({ severity }) => severity === 'blocking'),
  }
}
