import { readdirSync, statSync, type BigIntStats } from 'node:fs'
import { join } from 'node:path'
import type { z } from 'zod'
import { toProblem } from '#shared/errors'
import { runIdPattern } from '#shared/ids'
import { readJson } from '#ops/base/files/json-file'
import type { Log } from '../log/log.ts'

/** A folder's date can lag behind its newest entry by a clock tick: a younger date is not relied on. Nanoseconds. */
const settledNs = 100_000_000n

const info = (path: string): BigIntStats | null =>
  statSync(path, { bigint: true, throwIfNoEntry: false }) ?? null
const stampOf = ({ ino, mtimeNs, ctimeNs, size }: BigIntStats): string =>
  `${ino}-${mtimeNs}-${ctimeNs}-${size}`

/** Documents on disk, read again only when they have changed, so that a status call costs a few `stat`s. */
export interface Documents {
  /** @returns null when it does not exist or cannot be read; the latter goes to the log, once per content */
  read<T extends z.ZodType>(path: string, schema: T): z.output<T> | null
  /** Why the last `read` of a document that exists gave null; null when it gave one, or nothing is there. */
  whyUnreadable(path: string): string | null
  /**
   * The newest folder by run id below `base` for which `pick` gives something. An unfinished folder is passed over, so
   * that a run in progress or a crash never hides the last one that ended.
   */
  newest<T>(base: string, pick: (folder: string, id: string) => T | null): T | null
}

export function documents(log: Log): Documents {
  const files = new Map<string, { stamp: string; value: unknown; why: string | null }>()
  const folders = new Map<string, { date: bigint; ids: string[] }>()

  function list(base: string): string[] {
    const date = info(base)?.mtimeNs
    if (date === undefined) return []
    const cached = folders.get(base)
    if (cached?.date === date) return cached.ids
    const ids = readdirSync(base)
      .filter((name) => runIdPattern.test(name))
      .toSorted()
      .toReversed()
    if (BigInt(Date.now()) * 1_000_000n - date > settledNs) folders.set(base, { date, ids })
    return ids
  }

  return {
    read: <T extends z.ZodType>(path: string, schema: T): z.output<T> | null => {
      const at = info(path)
      if (at === null) {
        files.delete(path)
        return null
      }
      const stamp = stampOf(at)
      const cached = files.get(path)
      if (cached?.stamp === stamp) return cached.value as z.output<T> | null
      let value: z.output<T> | null = null
      let why: string | null = null
      try {
        value = readJson(path, schema, 'state_invalid') ?? null
      } catch (error) {
        why = toProblem(error).message
        log('document_unreadable', { why })
      }
      if (files.size > 1000) files.clear()
      files.set(path, { stamp, value, why })
      return value
    },
    whyUnreadable: (path) => files.get(path)?.why ?? null,
    newest: (base, pick) => {
      for (const id of list(base)) {
        const found = pick(join(base, id), id)
        if (found !== null) return found
      }
      return null
    },
  }
}
