// Whether two failures are the same: their fingerprints are equal.
import { sha256Of } from '#ops/base/sha256'

/** @param parts what makes the failure what it is; texts without what differs between two attempts */
export const failureFingerprint = (parts: readonly unknown[]): string =>
  sha256Of(JSON.stringify(parts)).slice(0, 32)

/** The text without what differs from attempt to attempt: ids of runs and objects, temporary names, durations. */
export const withoutIds = (text: string): string =>
  text
    .replace(/\b\d{8}T\d{6}Z-[0-9a-f]{8}\b/g, '<run>')
    .replace(/openclaw-worktree-[\w.-]*\w/g, '<worktree>')
    .replace(/\b[0-9a-f]{12,64}\b/g, '<hex>')
    .replace(/\b\d+(?:\.\d+)?\s?m?s\b/g, '<time>')

/** The same without abbreviated ids and numbers, for a log in which ports, sizes and counts differ each time. */
export const withoutNumbers = (text: string): string =>
  withoutIds(text)
    .replace(/\b[0-9a-f]{7,11}\b/g, '<hex>')
    .replace(/\d+/g, '<n>')
