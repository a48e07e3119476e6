import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
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
    db.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE')
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
