// Where tests keep their temporary files: in memory, where the machine has enough of it.
import { chmodSync, mkdirSync, readFileSync, statfsSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

const memory = '/dev/shm'
/** Free memory from which it is used, bytes: a choice with room to spare. The need of the tests was not measured. */
const enough = 4 * 1024 ** 3

/**
 * Tests make and remove thousands of small repositories. Ten hostile diffs took 14.1 s of CPU on a disk (ext4 without
 * a journal, 2 busy cores) and 11.3 s in memory.
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
