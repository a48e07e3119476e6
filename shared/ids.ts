import { z } from 'zod'

/** `YYYYMMDDTHHMMSSZ-<8 hex>`, UTC; sorts by time. Checked before it touches a path. */
export const runIdPattern = /^\d{8}T\d{6}Z-[0-9a-f]{8}$/
export const runId = z.string().regex(runIdPattern, 'not a run id (YYYYMMDDTHHMMSSZ-xxxxxxxx)')

/** A full object id, lower case. Never an abbreviation or a ref name. */
export const commitId = z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/, 'not a full commit id')
/**
 * A commit id as logs, messages and pages name it: 12 digits, as the Linux kernel does, because git's usual 7 become
 * ambiguous in a repository that grows, a log is read for years, and a page is compared with it.
 * @param id a full commit id
 */
export const shortCommit = (id: string): string => id.slice(0, 12)

export const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256 digest')

/** RFC 3339, UTC, milliseconds. */
export const timestamp = z.iso.datetime({ precision: 3 })

/** Makes a new run id. @param now wall clock, defaults to the present */
export function newRunId(now: Date = new Date()): string {
  const stamp = now
    .toISOString()
    .replace(/[-:]/g, '')
    .replace(/\.\d{3}/, '')
  const random = crypto.getRandomValues(new Uint8Array(4))
  return `${stamp}-${[...random].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`
}

/** When the run with this id was requested. @returns milliseconds since the epoch */
export const timeOfRun = (id: string): number =>
  Date.parse(id.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-.*$/, '$1-$2-$3T$4:$5:$6Z'))
