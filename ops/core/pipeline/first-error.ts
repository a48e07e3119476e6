import { hasCode } from '#shared/system-error'
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'

export interface FirstError {
  readonly text: string
  readonly line: number
  readonly file: string | null
  readonly file_line: number | null
}

interface Source {
  readonly file: string
  readonly line: number
}
/**
 * Says whether a line reports an error, and where in the sources the error is, from this line and its neighbours.
 */
type Recogniser = (lines: readonly string[], at: number) => Source | 'here' | null

const source = (match: RegExpExecArray | null): Source | null =>
  match?.[1] !== undefined && match[2] !== undefined
    ? { file: match[1].replace(/^file:\/\//, ''), line: Number(match[2]) }
    : null
const path = String.raw`((?:[A-Za-z]:)?[^\s:()'"<>|]*[^\s:()'"<>|/\\])`
const thrown = /^(?:Uncaught )?(?:[A-Z][A-Za-z]*)?(?:Error|Exception)\b(?: \[[A-Z_]+\])?(?::|$)/

/** Most particular first. Each knows the form in which one kind of tool reports. */
const recognisers: readonly Recogniser[] = [
  // tsc: src/a.ts(12,5): error TS2322: …
  (lines, at) => source(new RegExp(`^${path}\\((\\d+),\\d+\\): error\\b`).exec(lines[at] ?? '')),
  // compilers, linters, bundlers, Go: src/a.ts:12:5 - error …, a.c:3:1: error: …, page.html:1: error: …
  (lines, at) =>
    source(
      new RegExp(`^\\s*${path}:(\\d+)(?::\\d+)?:?\\s+(?:-\\s+)?(?:fatal )?error\\b`, 'i').exec(
        lines[at] ?? '',
      ),
    ),
  // pytest: test_a.py:12: AssertionError
  (lines, at) =>
    source(
      new RegExp(`^${path}:(\\d+): [A-Z][A-Za-z]*(?:Error|Exception)\\b`).exec(lines[at] ?? ''),
    ),
  // Node: an error with its stack below, or (syntax errors) the place above
  (lines, at) => {
    if (!thrown.test((lines[at] ?? '').trim())) return null
    for (const below of lines.slice(at + 1, at + 12)) {
      const frame =
        /^\s+at (?:.*\()?((?:file:\/\/)?\/[^\s():]+|(?:file:\/\/\/)?[A-Za-z]:[\\/][^\s():]+):(\d+):\d+\)?$/.exec(
          below,
        )
      if (frame) return source(frame)
    }
    for (const above of lines.slice(Math.max(0, at - 8), at).toReversed()) {
      const place =
        source(new RegExp(`^(?:file://)?${path}:(\\d+)$`).exec(above)) ??
        source(/^\s*File "([^"]+)", line (\d+)/.exec(above))
      if (place) return place
    }
    return 'here'
  },
  // Docker builds and Compose: what it is about stands in the same line
  (lines, at) => {
    const line = lines[at] ?? ''
    const parsed = /\bdockerfile parse error (?:on )?line (\d+)\b/i.exec(line)
    if (parsed?.[1] !== undefined) return { file: 'Dockerfile', line: Number(parsed[1]) }
    return /^(?:target \S+: )?failed to solve: |^validating \S+: |(?:^|: )yaml: line \d+: /.test(
      line,
    )
      ? 'here'
      : null
  },
  // programs that only say so
  (lines, at) =>
    /^(?:\S+:\s+)?(?:npm (?:ERR!|error)|fatal:|error:|ERROR\b|\[error\])/i.test(lines[at] ?? '')
      ? 'here'
      : null,
]

/** What a Docker build sets before each line of a step: its number, and for output of the step the time, in seconds. */
const buildPrefix = /^#\d+ (?:\d+\.\d+ )?/

/** Lines of HQ's own at the end of a step's log (`class: message`) say what followed, not what came first. */
const ownLine = /^[a-zA-Z][a-zA-Z0-9_]*_[a-zA-Z0-9_]*: /

/**
 * Finds the first line of a log that reports an error. When no recogniser knows the form, it is HQ's own closing line,
 * else the last line.
 * @returns null for a log without lines
 */
export function firstError(text: string): FirstError | null {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, '').replace(buildPrefix, ''))
  for (const [at, line] of lines.entries()) {
    if (ownLine.test(line)) continue
    for (const recognise of recognisers) {
      const found = recognise(lines, at)
      if (found === null) continue
      return {
        text: line.trim().slice(0, 500),
        line: at + 1,
        file: found === 'here' ? null : found.file,
        file_line: found === 'here' ? null : found.line,
      }
    }
  }
  const own = lines.findIndex((line) => ownLine.test(line))
  const at = own >= 0 ? own : lines.findLastIndex((line) => line.trim() !== '')
  return at < 0
    ? null
    : { text: (lines[at] ?? '').trim().slice(0, 500), line: at + 1, file: null, file_line: null }
}

const maxLogBytes = 4 * 1024 * 1024

/** The beginning of a log, as much as is searched; null when there is no such file. */
export const readLogHead = (file: string): string | null => readPart(file, () => 0)

/** The end of a log, likewise. */
export const readLogTail = (file: string): string | null =>
  readPart(file, (size) => Math.max(0, size - maxLogBytes))

function readPart(file: string, from: (size: number) => number): string | null {
  let fd: number
  try {
    fd = openSync(file, 'r')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
  try {
    const buffer = Buffer.alloc(maxLogBytes)
    return buffer.toString(
      'utf8',
      0,
      readSync(fd, buffer, 0, maxLogBytes, from(fstatSync(fd).size)),
    )
  } finally {
    closeSync(fd)
  }
}
