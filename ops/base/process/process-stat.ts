import { readdirSync, readFileSync, statSync } from 'node:fs'

/** Processes that /proc lists (Linux). */
export const processIds = (): number[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)

/**
 * Fields of /proc/<pid>/stat after the name, which itself may hold spaces and brackets. Field n of proc_pid_stat(5)
 * is at n - 3.
 * @returns null when there is no such process
 */
export function processStat(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null // it has ended between the listing and this read
  }
}

/** Does not live: a zombie, or one that the kernel is removing. */
export const hasEnded = (fields: readonly string[]): boolean =>
  fields[0] === 'Z' || fields[0] === 'X'

/** Clock ticks since boot at which it started. It keeps this whatever it executes. */
export const startTicks = (fields: readonly string[]): number => Number(fields[19])

interface Age {
  readonly inode: number
  readonly changed: number
  readonly start: number
}
const ages = new Map<number, Age>()

/**
 * Did the process start before `since`? The answer is remembered for as long as /proc/<pid> is the same inode: the
 * kernel makes one for one process, and never gives its number and its time to another. So a machine full of other
 * processes costs a stat(2) for each, a fifth of reading its start.
 * @param since clock ticks since boot
 * @returns false also when that is unknown
 */
export function isOlder(pid: number, since: number): boolean {
  const inode = inodeOf(pid)
  if (inode === undefined) return false
  const known = ages.get(pid)
  if (known?.inode === inode.ino && known.changed === inode.ctimeMs) return known.start < since
  // Should the id change hands between the two questions, the old inode is remembered, which nobody has any more.
  const fields = processStat(pid)
  if (fields === null) return false
  const start = startTicks(fields)
  ages.set(pid, { inode: inode.ino, changed: inode.ctimeMs, start })
  return start < since
}

function inodeOf(pid: number): { ino: number; ctimeMs: number } | undefined {
  try {
    return statSync(`/proc/${pid}`, { throwIfNoEntry: false })
  } catch {
    return undefined // unknown: the caller reads its start instead
  }
}

/** Keeps what is remembered no larger than the process table. @param listed every process id there is */
export function forgetEnded(listed: ReadonlySet<number>): void {
  if (ages.size <= 2 * listed.size) return
  for (const pid of ages.keys()) if (!listed.has(pid)) ages.delete(pid)
}
