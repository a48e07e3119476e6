import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { runId, timestamp } from '#shared/ids'
import { overall } from '#shared/result'
import type { HostPaths } from '#ops/paths'

/** One pass of guard: one line of `$OPENCLAW_STATE/guard.ndjson`. */
export const guardLine = z.strictObject({
  time: timestamp, run_id: runId, overall,
  /** Services that were started again in this pass. */
  restarted: z.array(z.string()),
  observed_only: z.boolean(),
  failed: z.array(z.string()),
})
export type GuardLine = z.infer<typeof guardLine>

export const guardLogFile = (paths: HostPaths): string => join(paths.state, 'guard.ndjson')

/** One write of one line: passes that end at the same moment do not mix (POSIX appends). */
export const appendGuardLine = (paths: HostPaths, line: GuardLine): void => appendFileSync(guardLogFile(paths), `${JSON.stringify(line)}\n`, { mode: 0o644 })

export interface GuardLog { readonly lines: readonly GuardLine[]; /** Lines that are no pass of guard: a crash while writing, or another hand. */ readonly unreadable: number }

/** The last `count` passes, oldest first. */
export function readGuardLog(paths: HostPaths, count: number): GuardLog {
  const file = guardLogFile(paths)
  const text = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const lines: GuardLine[] = []
  let unreadable = 0
  for (const each of text.split('\n').filter((line) => line !== '').slice(-count)) {
    const parsed = guardLine.safeParse(tryJson(each))
    if (parsed.success) lines.push(parsed.data)
    else unreadable += 1
  }
  return { lines, unreadable }
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // counted as unreadable by the caller
  }
}
