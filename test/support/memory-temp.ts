// Where tests keep their temporary files: in memory, where the machine has enough of it.
import { chmodSync, mkdirSync, readFileSync, statfsSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

const memory = '/dev/shm'
/** Free memory from which it is used, bytes. Three files of tests at a time were seen to keep less than 1 GB. */
const enough = 4 * 1024 ** 3

/**
 * Tests make and remove thousands of small repositories. On a disk that costs a fifth of their time.
 * @returns a folder in memory; the system's own folder where that is small, cannot start programs, or does not exist
 */
export function memoryTemp(): string {
  if (!runsPrograms()) return tmpdir()
  const { bavail, bsize } = statfsSync(memory)
  if (bavail * bsize < enough || availableMemory() < enough) return tmpdir()
  // Short, because the path of a socket has at most 107 bytes. Other accounts pass, as some tests need.
  const folder = join(memory, `hq-${userInfo().uid}`)
  mkdirSync(folder, { recursive: true })
  chmodSync(folder, 0o711)
  return folder
}

/** True for a memory file system that is mounted without `noexec`: hooks and test programs must start from it. */
function runsPrograms(): boolean {
  if (process.platform !== 'linux') return false
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n')
  const options = mounts.map((line) => line.split(' ')).find(([, at]) => at === memory)?.[3]
  return options !== undefined && !options.split(',').includes('noexec')
}

/** Bytes that can be had without swapping (proc(5), MemAvailable). */
function availableMemory(): number {
  const kilobytes = /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
  return Number(kilobytes ?? 0) * 1024
}
