import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { DatabaseSync } from 'node:sqlite'

/** A held lock. The kernel frees it when the process ends, however it ends. */
export interface Lock {
  release(): void
}

/**
 * Connections whose lock is held: one that nothing refers to would be garbage-collected, which frees its lock although
 * nobody released it.
 */
const held = new Set<DatabaseSync>()

const isBusy = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === 5

/**
 * Takes an exclusive lock on `file`: an open SQLite transaction, hence a kernel lock that dies with the process and
 * cannot be inherited by a child.
 * @returns the lock, or null when another holder has it
 */
export function tryLock(file: string): Lock | null {
  mkdirSync(dirname(file), { recursive: true })
  const db = new DatabaseSync(file)
  try {
    // Without a journal file: a lock writes nothing, so it can be taken on a full disk.
    db.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    db.close()
    if (isBusy(error)) return null
    throw error
  }
  held.add(db)
  return {
    release: () => {
      held.delete(db)
      db.close()
    },
  }
}

/** Pause between two tries, in milliseconds. */
const pauseMs = 25

/**
 * Takes a lock, and tries again for a while: a check of the lock by another process, or a holder that is just ending,
 * is not a reason to give up.
 * @param waitMs how long to try, milliseconds
 * @returns null when another holder keeps it that long
 * @throws {Error} an AbortError when `signal` fires
 */
export async function takeLock(
  file: string,
  waitMs: number,
  signal?: AbortSignal,
): Promise<Lock | null> {
  for (const end = performance.now() + waitMs; ;) {
    const lock = tryLock(file)
    if (lock !== null || performance.now() >= end) return lock
    await delay(pauseMs, undefined, signal ? { signal } : {})
  }
}

/**
 * Does `work` while this process holds `file`.
 * @param options `waitMs`: as for `takeLock`; `busy`: what is thrown when another holder keeps it that long
 */
export async function withLock<T>(
  file: string,
  options: {
    readonly waitMs: number
    readonly busy: () => Error
    readonly signal?: AbortSignal | undefined
  },
  work: () => T | Promise<T>,
): Promise<T> {
  const lock = await takeLock(file, options.waitMs, options.signal)
  if (lock === null) throw options.busy()
  try {
    return await work()
  } finally {
    lock.release()
  }
}

/** Does somebody hold `file`? Checks that without taking it, with read access only. */
export function isLocked(file: string): boolean {
  if (!existsSync(file)) return false
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    db.exec('PRAGMA busy_timeout = 0')
    db.prepare('SELECT count(*) FROM sqlite_master').get()
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw error
  } finally {
    db.close()
  }
}
