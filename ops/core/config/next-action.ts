import { hasCode } from '#shared/system-error'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import { writeWhole } from '#ops/base/files/json-file'

/** The file of the repository that holds the one next action. */
export const nextActionFile = 'docs/OPENCLAW_NEXT.md'

/** Longest action, in characters. */
const maxLength = 500
/**
 * Controls but a tab, and what turns the order of reading round: an action is printed to terminals and shown in HQ,
 * and no ship takes the second.
 */
const unreadable = /[^\P{Cc}\t]|[\u202A-\u202E\u2066-\u2069]/u
const heading = /^#{1,6}\s/
const ownHeading = /^#\s+next action\s*#*\s*$/i
const item = /^\s*(?:[-*+]|\d{1,9}[.)])(?:\s+(.*))?$/
const done = /^\[[xX]\]/

const invalid = (why: string): Problem =>
  new Problem(
    'next_action_invalid',
    `${nextActionFile} ${why}. It must hold exactly one list item under the heading "# Next action".`,
  )

interface Section {
  readonly before: string[]
  readonly body: string[]
  readonly after: string[]
}

/** Cuts the file at its "# Next action" heading and at the heading after that. Null when there is not exactly one. */
function section(lines: readonly string[]): Section | null {
  const starts = lines.flatMap((line, index) => (ownHeading.test(line) ? [index] : []))
  const [start] = starts
  if (start === undefined || starts.length > 1) return null
  const length = lines.slice(start + 1).findIndex((line) => heading.test(line))
  const end = length === -1 ? lines.length : start + 1 + length
  return {
    before: lines.slice(0, start + 1),
    body: lines.slice(start + 1, end),
    after: lines.slice(end),
  }
}

/**
 * The one next action. The format: a Markdown file with one heading `# Next action`, and under it, before any other
 * heading, exactly one list item (`- text`, lines that are indented below it belong to it). Comments (`<!-- -->`) and
 * prose beside the item are for people and are ignored.
 *
 * @returns the text on one line
 * @throws {Problem} `next_action_invalid`: no heading, no item, several items, an empty or a ticked one
 */
export function parseNextAction(text: string): string {
  const lines = text
    .replace(/^\uFEFF/, '')
    .replace(/<!--[\s\S]*?-->/g, '')
    .split(/\r?\n/)
  const found = section(lines)
  if (!found) throw invalid('does not have exactly one heading "# Next action"')
  const starts = found.body.flatMap((line, index) => (item.test(line) ? [index] : []))
  const [start] = starts
  if (start === undefined) throw invalid('names no next action')
  if (starts.length > 1) throw invalid(`names ${starts.length} next actions`)
  const more = found.body.slice(start + 1)
  const end = more.findIndex((line) => !/^\s+\S/.test(line))
  const words = [
    item.exec(found.body[start] ?? '')?.[1] ?? '',
    ...(end === -1 ? more : more.slice(0, end)),
  ]
    .map((line) => line.trim())
    .join(' ')
    .trim()
  if (done.test(words)) throw invalid('names an action that is ticked off')
  const action = words.replace(/^\[ \]\s*/, '')
  if (action === '') throw invalid('names an empty next action')
  if (unreadable.test(action))
    throw invalid('names an action with invisible or reversing characters')
  if (action.length > maxLength)
    throw invalid(`names an action of more than ${maxLength} characters`)
  return action
}

/** @returns the whole file with `action` as its one next action; the rest of a readable file stays */
export function withNextAction(text: string | null, action: string): string {
  const oneLine = action
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/<!--|-->/g, '')
    .replace(/^(?:(?:[-*+]|\d{1,9}[.)])\s+)+/, '')
  const found = text === null ? null : section(text.split(/\r?\n/))
  const headings = text?.split(/\r?\n/).filter((line) => ownHeading.test(line)).length ?? 0
  const keepsText = text !== null && headings === 0 && text.trim() !== ''
  const fresh = `${keepsText ? `${text.trimEnd()}\n\n` : ''}# Next action\n\n- ${oneLine}\n`
  const kept = found
    ? [
        ...found.before,
        '',
        `- ${oneLine}`,
        ...(found.after.length > 0 ? ['', ...found.after] : ['']),
      ].join('\n')
    : fresh
  // What was written is read back: an action that would not be found again is refused here, not at the next ship.
  if (parseNextAction(kept) !== oneLine) throw invalid(`cannot hold ${JSON.stringify(oneLine)}`)
  return kept
}

const readIfThere = (path: string): string | null => {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/** @param repo root of the working tree @throws {Problem} `next_action_invalid` */
export function readNextAction(repo: string): string {
  const text = readIfThere(join(repo, nextActionFile))
  if (text === null) throw invalid('does not exist')
  return parseNextAction(text)
}

/**
 * Writes the file in the working tree; committing it is left to the operator.
 * @throws {Problem} `next_action_invalid` for an empty or overlong text
 */
export function setNextAction(repo: string, action: string): void {
  const path = join(repo, nextActionFile)
  writeWhole(path, withNextAction(readIfThere(path), action))
}
