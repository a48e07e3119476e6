// Lock files that a killed git or a power cut left in a clone would stop every later command.
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Problem } from '#shared/errors'
import { hasCode } from '#shared/system-error'
import { isInside } from '#ops/base/paths/inside'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { processIds } from '#ops/base/process/process-stat'
import { commonDir, gitDir } from './work-tree.ts'
import type { GitOptions } from './run-git.ts'

/** A git that works right now is waited for this long; milliseconds. */
const patienceMs = 5000
const pauseMs = 200

interface Lock {
  readonly path: string
  readonly modifiedMs: number
}

/**
 * Removes every stale lock file of a clone: of its index, HEAD, configuration, refs, packs. A lock is stale when it is
 * older than the last boot, or when no git process uses the clone.
 * @param options account of the clone's owner: the files are removed as that account
 * @throws {Problem} `git_sync_failed` when a git process uses the clone, or when that cannot be determined
 */
export async function clearStaleLocks(
  repo: string,
  options: GitOptions,
  log: (text: string) => void,
): Promise<void> {
  const folders = [...new Set([await gitDir(repo, options), await commonDir(repo, options)])]
  const find = (): Lock[] => folders.flatMap((folder) => locksBelow(folder))
  for (const end = performance.now() + patienceMs; ;) {
    const locks = find()
    if (locks.length === 0) return
    const users = gitProcesses([repo, ...folders])
    const boot = bootTimeMs()
    const stale = locks.filter(
      ({ modifiedMs }) => users?.length === 0 || (boot !== null && modifiedMs < boot),
    )
    await remove(repo, stale, options)
    for (const { path, modifiedMs } of stale)
      log(
        `removed ${path}: ${
          boot !== null && modifiedMs < boot
            ? 'it is older than the last boot'
            : 'no git process uses the clone'
        }`,
      )
    const held = locks.filter((lock) => !stale.includes(lock))
    if (held.length === 0) return
    if (users === null || performance.now() >= end) throw heldBy(held, users)
    await delay(pauseMs, undefined, options.signal ? { signal: options.signal } : {})
  }
}

function heldBy([first]: readonly Lock[], users: readonly number[] | null): Problem {
  const path = first?.path ?? ''
  return new Problem(
    'git_sync_failed',
    users === null
      ? `${path} exists, and this system does not show whether a git process still uses the clone. ` +
          'The clone was not changed.'
      : `${path} is held: git process ${users.join(', ')} uses the clone. The clone was not changed.`,
  )
}

/** Folders of a git directory that hold no lock file, or those of other repositories. */
const skipped = new Set(['hooks', 'logs', 'modules', 'lost-found'])

function locksBelow(folder: string, depth = 0): Lock[] {
  return entriesOf(folder).flatMap((entry) => {
    const path = join(folder, entry.name)
    // The 256 folders of loose objects: git writes a loose object without a lock.
    if (entry.isDirectory())
      return (depth === 0 && skipped.has(entry.name)) || /^[0-9a-f]{2}$/.test(entry.name)
        ? refsOnly(path)
        : locksBelow(path, depth + 1)
    if (!entry.isFile() || !entry.name.endsWith('.lock')) return []
    const info = lstatSync(path, { throwIfNoEntry: false })
    return info === undefined ? [] : [{ path, modifiedMs: info.mtimeMs }]
  })
}

/** A folder of refs may be called like one of loose objects: `refs/heads/ab/…`. */
const refsOnly = (path: string): Lock[] => (/\/refs\//.test(path) ? locksBelow(path, 1) : [])

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ENOTDIR')) return [] // removed meanwhile
    throw error
  }
}

/** As the owner of the clone, who could have replaced a folder on the way by a link. */
async function remove(repo: string, locks: readonly Lock[], options: GitOptions): Promise<void> {
  if (locks.length === 0) return
  const { exitCode, stderrTail } = await runCommand(
    ['rm', '-f', '--', ...locks.map(({ path }) => path)],
    {
      cwd: repo,
      env: baseEnv(),
      timeLimitSeconds: 30,
      ...(options.as ? { as: options.as } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    },
  )
  if (exitCode !== 0)
    throw new Problem(
      'git_sync_failed',
      `A stale lock file cannot be removed: ${stderrTail.split('\n').at(-1) ?? 'no reason given'}. ` +
        'The clone was not changed.',
    )
}

/** When this machine booted, in milliseconds since the epoch; null where the system does not say. */
function bootTimeMs(): number | null {
  if (process.platform !== 'linux') return null
  const seconds = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))?.[1]
  return seconds === undefined ? null : Number(seconds) * 1000
}

/** Ids of the git processes that use the clone; null where the system does not show them. */
function gitProcesses(folders: readonly string[]): number[] | null {
  if (process.platform !== 'linux') return null
  const roots = folders.map((folder) => realpathSync(folder))
  return processIds().filter((pid) => {
    try {
      if (!/^git(-|$)/.test(readFileSync(`/proc/${pid}/comm`, 'utf8').trim())) return false
      const cwd = readlinkSync(`/proc/${pid}/cwd`)
      return [cwd, ...namedFolders(pid, cwd)].some((used) =>
        roots.some((root) => isInside(root, used)),
      )
    } catch {
      return false // it has ended, or belongs to another account, which does not write here
    }
  })
}

/** Repositories that a git process was given besides the folder that it runs in. */
function namedFolders(pid: number, cwd: string): string[] {
  const [args, env] = ['cmdline', 'environ'].map((name) =>
    readFileSync(`/proc/${pid}/${name}`, 'utf8').split('\0'),
  ) as [string[], string[]]
  return [
    ...args.flatMap((arg, i) =>
      arg === '--git-dir' ? [args[i + 1] ?? ''] : (/^--git-dir=(.*)$/s.exec(arg)?.[1] ?? []),
    ),
    ...env.flatMap((each) => /^GIT_DIR=(.*)$/s.exec(each)?.[1] ?? []),
  ].map((folder) => resolve(cwd, folder))
}
