// A lock file that a killed git left in the clone would stop every later deploy.
import { existsSync, readFileSync, readlinkSync, realpathSync, rmSync } from 'node:fs'
import { Problem } from '#shared/errors'
import { processIds } from '#ops/base/process/process-stat'

/**
 * Removes the lock file, but only when no git runs in this clone.
 * @throws {Problem} `git_sync_failed` when one does, or when that cannot be determined
 */
export function clearStaleLock(repo: string, lock: string, log: (text: string) => void): void {
  if (!existsSync(lock)) return
  const living = process.platform === 'linux' ? gitProcesses(repo) : null
  if (living === null)
    throw new Problem(
      'git_sync_failed',
      `${lock} exists, and this system does not show whether a git process still uses the clone. ` +
        'The clone was not changed.',
    )
  if (living.length > 0)
    throw new Problem(
      'git_sync_failed',
      `${lock} is held: git process ${living.join(', ')} uses the clone. The clone was not changed.`,
    )
  rmSync(lock, { force: true })
  log(`removed ${lock}: no git process uses the clone`)
}

function gitProcesses(repo: string): number[] {
  const root = realpathSync(repo)
  return processIds().flatMap((pid) => {
    try {
      if (!/^git(-|$)/.test(readFileSync(`/proc/${pid}/comm`, 'utf8').trim())) return []
      const cwd = readlinkSync(`/proc/${pid}/cwd`)
      return cwd === root || cwd.startsWith(`${root}/`) ? [pid] : []
    } catch {
      return [] // it has ended
    }
  })
}
