import { hasCode } from '#shared/system-error'
import { readdirSync, rmSync } from 'node:fs'
import { runIdPattern } from '#shared/ids'
import { hostPaths } from '#ops/base/paths/paths'
import { takeLock } from '#ops/base/files/lock'
import { hostdLockFile } from '#ops/core/host-state/locks'

/**
 * `hq reindex`: deletes the index of runs, so that hostd builds it from the run folders when it next starts. Only hostd
 * writes the index, so this works only while hostd is down, under the lock of hostd. It refuses while hostd runs.
 * @returns 0 dropped · 2 refused
 */
export async function run({ json = false }: { json?: boolean }): Promise<number> {
  const paths = hostPaths()
  const lock = await takeLock(hostdLockFile(paths), 1000)
  if (lock === null) {
    process.stderr.write(
      'The index was not changed: hostd is running and uses it. Stop hostd first;' +
        ' it builds a missing index from the run folders when it starts.\n',
    )
    return 2
  }
  try {
    for (const suffix of ['', '-wal', '-shm', '-journal'])
      rmSync(`${paths.index}${suffix}`, { force: true })
    const folders = runFolders(paths.runs)
    if (json)
      process.stdout.write(
        `${JSON.stringify({ ok: true, dropped: paths.index, run_folders: folders }, null, 2)}\n`,
      )
    else
      process.stdout.write(
        `The index was dropped. hostd builds it from ${folders} run folders when it starts.\n`,
      )
    return 0
  } finally {
    lock.release()
  }
}

function runFolders(base: string): number {
  try {
    return readdirSync(base).filter((name) => runIdPattern.test(name)).length
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return 0
    throw error
  }
}
