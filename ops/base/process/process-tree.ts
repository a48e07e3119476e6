import { hasCode } from '#shared/system-error'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { forgetEnded, hasEnded, isOlder, processStat, startTicks } from './process-stat.ts'

/** Distinguishes one process from a later one that was given the same id. */
export interface ProcessIdentity {
  readonly pid: number
  readonly pgid: number
  readonly start_time: string
}

const linux = process.platform === 'linux'

/** @returns null when no such process lives (a zombie does not live) */
export function identify(pid: number): ProcessIdentity | null {
  if (linux) {
    const fields = processStat(pid)
    if (!fields || hasEnded(fields)) return null
    return { pid, pgid: Number(fields[2]), start_time: fields[19] ?? '' }
  }
  try {
    const text = execFileSync('ps', ['-o', 'pgid=,stat=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { LC_ALL: 'C', PATH: '/bin:/usr/bin' },
    }).trim()
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

/** Sends a signal to one process. One that has just ended gets none; that is not an error. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error
  }
}

/** Requests the process of this record to end (SIGTERM), and waits for it for at most `limitMs` milliseconds. */
export async function requestEnd(
  record: Parameters<typeof isAlive>[0],
  limitMs: number,
): Promise<void> {
  if (!isAlive(record)) return
  signalProcess(record.pid, 'SIGTERM')
  for (const end = Date.now() + limitMs; isAlive(record) && Date.now() < end;) await delay(50)
}

export interface TreeSelector {
  /** Members of this process group. Give it only after its leader's start time was checked. */
  readonly pgid?: number
  /**
   * `NAME=value` in the environment a process was started with. Finds those that left the group or lost their parent.
   */
  readonly marker?: string
  /** Earliest start of a process to find, of `startedAt`: the environment of an older one is not even read. */
  readonly since?: number | undefined
  readonly except?: readonly number[]
}

/**
 * When a process of ours started, in clock ticks since boot; also of one that has ended and was not yet waited for.
 * Nothing it ever starts has an earlier one, whatever it executes later.
 * @returns undefined where the system does not say, or when there is no such process
 */
export const startedAt = (pid: number): number | undefined => {
  const fields = linux ? processStat(pid) : null
  return fields === null ? undefined : startTicks(fields)
}

/** Living processes that match. On systems without /proc only the group is seen. */
export const members = (selector: TreeSelector): number[] => findMembers(selector).found

/**
 * @returns `settled` when no process can have been missed: none appeared, or changed its program, during the search
 */
function findMembers({ pgid, marker, since = 0, except = [] }: TreeSelector): {
  found: number[]
  settled: boolean
} {
  const spared = new Set([...except, process.pid])
  if (!linux) {
    const rows = execFileSync('ps', ['-axo', 'pid=,pgid=,stat='], { encoding: 'utf8' })
      .trim()
      .split('\n')
      .map((row) => row.trim().split(/\s+/))
    return {
      found: rows
        .filter((row) => Number(row[1]) === pgid && !row[2]?.startsWith('Z'))
        .map((row) => Number(row[0]))
        .filter((pid) => !spared.has(pid)),
      settled: true,
    }
  }
  const found: number[] = []
  const [judged, listed] = [new Set<string>(), new Set<number>()]
  let settled = true
  // Listed again until a list has no new process: one that was listed may have started another and ended before it was
  // read. Where processes start faster than they are read, the caller searches again.
  for (
    let fresh = readdirSync('/proc'), lists = 1;
    fresh.length > 0;
    fresh = readdirSync('/proc').filter((name) => !judged.has(name)), lists += 1
  ) {
    if (lists > 5) return { found, settled: false }
    for (const name of fresh) {
      judged.add(name)
      const pid = Number(name)
      if (!Number.isInteger(pid)) continue
      listed.add(pid)
      if (spared.has(pid) || (since > 0 && isOlder(pid, since))) continue
      const fields = processStat(pid)
      if (!fields || hasEnded(fields) || startTicks(fields) < since) continue
      const inGroup = pgid !== undefined && Number(fields[2]) === pgid
      const answer = inGroup ? 'yes' : hasMarker(pid, marker)
      if (answer === 'yes') found.push(pid)
      if (answer === 'unknown') settled = false
    }
  }
  if (since > 0) forgetEnded(listed)
  return { found, settled }
}

/** Flag of a thread of the kernel, which has no environment (include/linux/sched.h, PF_KTHREAD). */
const kernelThread = 0x00200000

/**
 * @returns unknown for one that is between two programs: execve(2) has given it new memory, and not yet its
 *   environment
 */
function hasMarker(pid: number, marker: string | undefined): 'yes' | 'no' | 'unknown' {
  if (marker === undefined) return 'no'
  let environment: string
  try {
    environment = readFileSync(`/proc/${pid}/environ`, 'latin1')
  } catch {
    return 'no' // ended, or another user's: not started by us
  }
  if (environment !== '') return environment.split('\0').includes(marker) ? 'yes' : 'no'
  // Really empty, or not there yet: then the address of its end (field 51 of proc_pid_stat(5)) is 0. Read
  // after the environment, so that the environment of one that got it meanwhile is read once more.
  const fields = processStat(pid)
  if (!fields || hasEnded(fields) || (Number(fields[6]) & kernelThread) !== 0) return 'no'
  if (Number(fields[48]) === 0) return 'unknown'
  try {
    return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(marker)
      ? 'yes'
      : 'no'
  } catch {
    return 'no' // it has ended
  }
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      signalProcess(pid, signal)
    } catch (error) {
      // It became another user's: it counts as left, and the rest is ended all the same.
      if (!hasCode(error, 'EPERM')) throw error
    }
  }
}

/**
 * Longest time to search again, milliseconds, when no known process is left and the last search may have missed one.
 */
const unsettledMs = 500

/**
 * Ends a whole tree: SIGTERM, a grace, then SIGKILL, with a new search each time: a dying process can still fork.
 * @param graceMs milliseconds between the two signals
 * @returns process ids that would not die within 5 s of SIGKILL (in uninterruptible sleep); empty as a rule
 */
export async function endTree(selector: TreeSelector, graceMs = 3000): Promise<number[]> {
  let { found: left, settled } = findMembers(selector)
  const signalled = new Set<number>()
  const unsettledUntil = Date.now() + unsettledMs
  const again = async (ms: number): Promise<void> => {
    await delay(ms)
    ;({ found: left, settled } = findMembers(selector))
  }
  const goOn = (end: number): boolean =>
    (left.length > 0 && Date.now() < end) || (!settled && Date.now() < unsettledUntil)
  for (const end = Date.now() + graceMs; goOn(end);) {
    const fresh = left.filter((pid) => !signalled.has(pid))
    signalAll(fresh, 'SIGTERM')
    for (const pid of fresh) signalled.add(pid)
    await again(left.length > 0 ? 20 : 1)
  }
  for (const end = Date.now() + 5000; goOn(end);) {
    signalAll(left, 'SIGKILL')
    await again(20)
  }
  return left
}
