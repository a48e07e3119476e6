// What can be said of the chosen repository by reading it.
import { statSync } from 'node:fs'
import { basename, isAbsolute } from 'node:path'
import type { RepositoryState } from '#shared/bridge'
import { Problem } from '#shared/errors'
import type { Environment } from '#ops/base/env'
import { commitOf } from '#ops/platform/git/commits'
import { gitText } from '#ops/platform/git/run-git'
import { topLevel } from '#ops/platform/git/work-tree'
import { redact } from '#ops/base/redact/redaction'
import { readNextAction } from '#ops/core/config/next-action'
import { readProjectConfig } from '#ops/core/config/settings-files'
import { shipBlockedBy } from '#ops/features/ship/index'

export interface RepositoryReader {
  /** Root of the working tree. */
  readonly repository: string
  /** Folder of the operator's settings. */
  readonly home: string
  /** Environment that a ship would get; some of its variables forbid shipping. */
  readonly env: Environment
}

/** Git answers within this, or the repository is not usable. */
const limits = { timeLimitSeconds: 15, errorClass: 'not_a_repository' } as const

/**
 * Nothing is fetched and nothing is changed. Whether it may be shipped is decided by the preconditions of ship itself.
 * @throws {Problem} `not_a_repository`
 */
export async function readRepository({
  repository,
  home,
  env,
}: RepositoryReader): Promise<RepositoryState> {
  const facts = await gitFacts(repository)
  const config = valueOr(() => readProjectConfig(repository))
  const main = config?.branch ?? 'main'
  const remote = await commitOf(repository, `refs/remotes/origin/${main}`, limits)
  const subject =
    facts.head && (await gitText(repository, ['log', '-1', '--format=%s', facts.head], limits))
  const blocked = await shipBlockedBy({ repo: repository, home, env }, limits)
  return {
    name: config?.project ?? basename(repository),
    branch: facts.branch,
    head: facts.head,
    subject: subject === null ? null : redact.text(subject),
    remote,
    ...(await distance(repository, facts.head, remote)),
    dirty_files: facts.dirty_files,
    next_action: valueOr(() => readNextAction(repository)),
    ship_blocked: blocked?.sentence ?? null,
  }
}

/**
 * The top folder of the working tree that `path` lies in.
 * @throws {Problem} `not_a_repository`
 */
export async function workTreeRoot(path: string): Promise<string> {
  if (!isAbsolute(path) || !statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new Problem(
      'not_a_repository',
      `${path} is not a folder of this machine. The settings are unchanged.`,
    )
  const top = await topLevel(path)
  if (top === '')
    throw new Problem(
      'not_a_repository',
      `${path} is a bare repository; HQ ships from a working tree. The settings are unchanged.`,
    )
  return top
}

/** Commits that each side has and the other lacks. */
async function distance(
  repository: string,
  head: string | null,
  remote: string | null,
): Promise<{ ahead: number; behind: number }> {
  if (head === null || remote === null) return { ahead: 0, behind: 0 }
  const args = ['rev-list', '--left-right', '--count', `${head}...${remote}`]
  const [ahead = 0, behind = 0] = (await gitText(repository, args, limits)).split(/\s+/).map(Number)
  return { ahead, behind }
}

/** Null when the reader throws a Problem: the preconditions say why. */
function valueOr<T>(read: () => T): T | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof Problem) return null
    throw error
  }
}

interface GitFacts {
  readonly branch: string | null
  readonly head: string | null
  readonly dirty_files: number
}

async function gitFacts(repository: string): Promise<GitFacts> {
  const args = ['status', '--porcelain=v2', '--branch', '-z']
  return parseStatus(
    await gitText(repository, [...args, '--untracked-files=all', '--no-renames'], limits),
  )
}

/** Reads `git status --porcelain=v2 --branch -z`. */
function parseStatus(text: string): GitFacts {
  let branch: string | null = null
  let head: string | null = null
  let dirty_files = 0
  const entries = text.split('\0')
  for (let index = 0; index < entries.length; index += 1) {
    const entry = entries[index] ?? ''
    const [, name, value] = /^# branch\.(oid|head) (.+)$/.exec(entry) ?? []
    if (name === 'oid') head = value === undefined || value === '(initial)' ? null : value
    else if (name === 'head') branch = value === undefined || value === '(detached)' ? null : value
    else if (/^[12u?] /.test(entry)) dirty_files += 1
    if (entry.startsWith('2 ')) index += 1 // a rename has its former path as a separate entry
  }
  return { branch, head, dirty_files }
}
