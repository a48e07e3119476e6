import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { runId, timestamp } from '#shared/ids'
import { overall } from '#shared/result'
import type { HostPaths } from '#ops/base/paths/paths'
import { outcome } from './apply.ts'

/** One pass of guard: one line of `$OPENCLAW_STATE/guard.ndjson` and of the journal. */
export const guardLine = z.strictObject({
  time: timestamp,
  run_id: runId,
  overall,
  /** Services that this pass restarted. */
  restarted: z.array(z.string()),
  observed_only: z.boolean(),
  /** Why it only observed. Absent in lines of older releases. */
  observed_why: z.string().nullable().default(null),
  /** Every remediation that was due, and its result. */
  remediations: z.array(outcome).default([]),
  failed: z.array(z.string()),
})
export type GuardLine = z.infer<typeof guardLine>

/** The log is rotated at this size, in bytes; the log that was rotated before is deleted. */
const rotateBytes = 4 * 1024 * 1024

export const guardLogFile = ({ state }: Pick<HostPaths, 'state'>): string =>
  join(state, 'guard.ndjson')
const rotated = (paths: Pick<HostPaths, 'state'>): string => `${guardLogFile(paths)}.1`

/** Writes one line in one write: lines of passes that end at the same moment do not mix (POSIX appends). */
export function appendGuardLine(paths: Pick<HostPaths, 'state'>, line: GuardLine): void {
  const file = guardLogFile(paths)
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) >= rotateBytes)
    renameSync(file, rotated(paths))
  appendFileSync(file, `${JSON.stringify(line)}\n`, { mode: 0o644 })
}

export interface GuardLog {
  readonly lines: readonly GuardLine[]
  /** Lines that are not a pass of guard, for example because of a crash while writing. */
  readonly unreadable: number
}

/** The last `count` passes, oldest first. */
export function readGuardLog(paths: Pick<HostPaths, 'state'>, count: number): GuardLog {
  const rowsOf = (file: string): string[] =>
    existsSync(file)
      ? readFileSync(file, 'utf8')
          .split('\n')
          .filter((line) => line !== '')
      : []
  const newest = rowsOf(guardLogFile(paths))
  const rows = newest.length < count ? [...rowsOf(rotated(paths)), ...newest] : newest
  const lines: GuardLine[] = []
  let unreadable = 0
  for (const each of rows.slice(-count)) {
    const parsed = guardLine.safeParse(tryJson(each))
    if (parsed.success) lines.push(parsed.data)
    else unreadable += 1
  }
  return { lines, unreadable }
}

/** One pass as a line for people. */
export const describePass = ({
  time,
  overall,
  observed_only,
  observed_why,
  restarted,
  remediations,
  failed,
}: GuardLine): string =>
  [
    time,
    overall,
    ...(observed_only ? [`only observed${observed_why === null ? '' : `: ${observed_why}`}`] : []),
    // Lines of older releases name restarted services alone.
    ...(remediations.length === 0 && restarted.length > 0
      ? [`started again: ${restarted.join(', ')}`]
      : []),
    ...remediations.map(
      ({ remediation, target, outcome, reason }) =>
        `${remediation} ${target} ${outcome}: ${reason}`,
    ),
    ...(remediations.length === 0
      ? failed
      : failed.filter((text) => !remediations.some(({ reason }) => text.includes(reason)))),
  ].join(' · ')

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // counted as unreadable by the caller
  }
}
