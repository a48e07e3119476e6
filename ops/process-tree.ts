import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

/** Tells one process from a later one that was given the same id. */
export interface ProcessIdentity { readonly pid: number; readonly pgid: number; readonly start_time: string }

const linux = process.platform === 'linux'

/** Fields of /proc/<pid>/stat after the name, which itself may hold spaces and brackets. */
function stat(pid: number): string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return null // it has ended between the listing and this read
  }
}

/** @returns null when no such process lives (a zombie does not live) */
export function identify(pid: number): ProcessIdentity | null {
  if (linux) {
    const fields = stat(pid)
    if (!fields || fields[0] === 'Z' || fields[0] === 'X') return null
    return { pid, pgid: Number(fields[2]), start_time: fields[19] ?? '' }
  }
  try {
    const text = execFileSync('ps', ['-o', 'pgid=,stat=,lstart=', '-p', String(pid)], { encoding: 'utf8', env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' } }).trim()
    const match = /^(\d+)\s+(\S+)\s+(.+)$/.exec(text)
    if (!match || match[2]?.startsWith('Z')) return null
    return { pid, pgid: Number(match[1]), start_time: match[3] ?? '' }
  } catch {
    return null // ps exits 1 when there is no such process
  }
}

/** Changes with every boot, so that a record from before a reboot is never taken for a live process. */
export function bootId(): string {
  if (linux) return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  return execFileSync('sysctl', ['-n', 'kern.boottime'], { encoding: 'utf8' }).trim()
}

/** Is the very process of this record alive? */
export const isAlive = (record: { pid: number; start_time: string; boot_id: string }): boolean =>
  record.boot_id === bootId() && identify(record.pid)?.start_time === record.start_time

export interface TreeSelector {
  /** Members of this process group. Give it only after its leader's start time was checked. */
  readonly pgid?: number
  /** `NAME=value` in the environment a process was started with. Finds those that left the group or lost their parent. */
  readonly marker?: string
  readonly except?: readonly number[]
}

/** Living processes that match. On systems without /proc only the group is seen. */
export function members({ pgid, marker, except = [] }: TreeSelector): number[] {
  const spared = new Set([...except, process.pid])
  if (!linux) {
    const rows = execFileSync('ps', ['-axo', 'pid=,pgid=,stat='], { encoding: 'utf8' }).trim().split('\n').map((row) => row.trim().split(/\s+/))
    return rows.filter((row) => Number(row[1]) === pgid && !row[2]?.startsWith('Z')).map((row) => Number(row[0])).filter((pid) => !spared.has(pid))
  }
  const found: number[] = []
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!Number.isInteger(pid) || spared.has(pid)) continue
    const fields = stat(pid)
    if (!fields || fields[0] === 'Z' || fields[0] === 'X') continue
    if ((pgid !== undefined && Number(fields[2]) === pgid) || (marker !== undefined && hasMarker(pid, marker))) found.push(pid)
  }
  return found
}

function hasMarker(pid: number, marker: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(marker)
  } catch {
    return false // ended, or another user's: not started by us
  }
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal)
    } catch (error) {
      // ESRCH: it has just ended. EPERM: it became another user's; it counts as left, and the rest is ended all the same.
      if (!(error instanceof Error && 'code' in error && (error.code === 'ESRCH' || error.code === 'EPERM'))) throw error
    }
  }
}

/**
 * Ends a whole tree: SIGTERM, a grace, then SIGKILL, looking afresh each time because a dying process can still fork.
 * @param graceMs milliseconds between the two signals
 * @returns process ids that would not die within 5 s of SIGKILL (in uninterruptible sleep); empty as a rule
 */
export async function endTree(selector: TreeSelector, graceMs = 3000): Promise<number[]> {
  let left = members(selector)
  const told = new Set<number>()
  for (const end = Date.now() + graceMs; left.length > 0 && Date.now() < end; left = members(selector)) {
    const fresh = left.filter((pid) => !told.has(pid))
    signalAll(fresh, 'SIGTERM')
    for (const pid of fresh) told.add(pid)
    await delay(20)
  }
  for (const end = Date.now() + 5000; left.length > 0 && Date.now() < end; left = members(selector)) {
    signalAll(left, 'SIGKILL')
    await delay(20)
  }
  return left
}
