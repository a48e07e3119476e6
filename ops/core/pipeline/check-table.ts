import { remediations } from '#shared/errors/remediations'
import type { CheckResult } from '#shared/result'
import { checkMark } from './marks.ts'

/** Worst first, as HQ shows them. */
const order = ['FAIL', 'WARN', 'SKIP', 'PASS'] as const
const words = { FAIL: 'failed', WARN: 'warned', PASS: 'passed', SKIP: 'skipped' } as const
/** A column of text narrower than this is not worth having; then details go below their names. */
const narrowest = 30
const longestName = 22

/** Words into lines of at most `width`; what is longer than a line (a path, a digest) is cut where the line ends. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (let word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length <= width) {
      line += ` ${word}`
      continue
    }
    if (line !== '') lines.push(line)
    for (; word.length > width; word = word.slice(width)) lines.push(word.slice(0, width))
    line = word
  }
  return [...lines, line]
}

/**
 * The checks of a host as a table: state, name, what was found; below, what ends it.
 * @param columns width of the terminal; null: one line for each check, however long
 */
export function checkTable(checks: readonly CheckResult[], columns: number | null): string[] {
  const sorted = order.flatMap((status) => checks.filter((check) => check.status === status))
  const nameWidth = Math.min(longestName, Math.max(0, ...checks.map(({ name }) => name.length)))
  const indent = 2 + 4 + 2 + nameWidth + 2
  const beside = columns === null || columns - indent >= narrowest
  const left = ' '.repeat(beside ? indent : 8)
  const width =
    columns === null ? Number.POSITIVE_INFINITY : Math.max(narrowest, columns - left.length)
  const lines = sorted.flatMap(({ name, status, detail, remedy }) => {
    const head = `${checkMark[status]} ${status}  ${name.padEnd(nameWidth)}`
    const text = [
      ...wrap(detail, width),
      ...(remedy === null ? [] : wrap(`→ ${remediations[remedy].title}`, width)),
    ]
    if (columns === null) return [`${head}  ${text.join('  ')}`]
    if (!beside || name.length > nameWidth) return [head, ...text.map((each) => `${left}${each}`)]
    return text.map((each, i) => `${i === 0 ? `${head}  ` : left}${each}`)
  })
  const tally = order
    .map((status) => ({ status, count: checks.filter((check) => check.status === status).length }))
    .filter(({ count }) => count > 0)
  return [
    ...lines,
    ...wrap(
      `${checks.length} checks: ${tally.map(({ status, count }) => `${count} ${words[status]}`).join(', ')}`,
      columns ?? Number.POSITIVE_INFINITY,
    ),
  ]
}
