import type { Environment } from '#ops/base/env'
import { existsSync, statSync } from 'node:fs'
import { basename, isAbsolute, join } from 'node:path'
import type { RepositoryState } from '#shared/bridge'
import { Problem } from '#shared/errors'
import { git, gitText } from '#ops/platform/git/run-git'
import { topLevel } from '#ops/platform/git/work-tree'
import { redact } from '#ops/base/redact/redaction'
import { readNextAction } from '#ops/core/config/next-action'
import { readProjectConfig } from '#ops/core/config/settings-files'
import { refuseCodexSkip, refuseProductionHost } from '#ops/features/ship/index'

interface GitFacts {
  readonly branch: string | null
  readonly head: string | null
  readonly dirty_files: number
  readonly unfinished: boolean
}

/** Reads `git status --porcelain=v2 --branch -z`. */
function parseStatus(text: string): Omit<GitFacts, 'unfinished'> {
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
    if (entry.startsWith('2 ')) index += 1 // a rename has its former path as an entry of its own
  }
  return { branch, head, dirty_files }
}

const unfinishedMarks = [
  'MERGE_HEAD',
  'CHERRY_PICK_HEAD',
  'REVERT_HEAD',
  'rebase-merge',
  'rebase-apply',
]

const limits = { timeLimitSeconds: 15, errorClass: 'not_a_repository' } as const

async function gitFacts(repository: string): Promise<GitFacts> {
  const status = await gitText(
    repository,
    ['status', '--porcelain=v2', '--branch', '-z', '--untracked-files=normal', '--no-renames'],
    limits,
  )
  const gitDir = await gitText(repository, ['rev-parse', '--absolute-git-dir'], limits)
  return {
    ...parseStatus(status),
    unfinished: unfinishedMarks.some((mark) => existsSync(join(gitDir, mark))),
  }
}

/** @returns the top folder of the work tree `path` lies in @throws {Problem} `not_a_repository` */
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
      `${path} is a bare repository; HQ ships from a work tree. The settings are unchanged.`,
    )
  return top
}

const count = (number: number, one: string, many: string): string =>
  number === 1 ? `1 ${one}` : `${number} ${many}`

/** The text of a Problem that a reader throws, else its value: what cannot be read is a reason not to ship, not an error of the page. */
function attempt<T>(read: () => T): { value: T; problem: null } | { value: null; problem: string } {
  try {
    return { value: read(), problem: null }
  } catch (error) {
    if (error instanceof Problem) return { value: null, problem: error.message }
    throw error
  }
}

/**
 * What can be said of the repository by reading it: nothing is fetched and nothing is changed.
 * @param env environment that a ship would get; some of its variables forbid shipping
 * @throws {Problem} `not_a_repository`
 */
export async function readRepository(
  repository: string,
  env: Environment,
): Promise<RepositoryState> {
  const facts = await gitFacts(repository)
  const config = attempt(() => readProjectConfig(repository))
  const next = attempt(() => readNextAction(repository))
  const main = config.value?.branch ?? 'main'
  const subject =
    facts.head && (await gitText(repository, ['log', '-1', '--format=%s', facts.head], limits))
  const known = await git(
    repository,
    [
      'rev-parse',
      '--verify',
      '--quiet',
      '--end-of-options',
      `refs/remotes/origin/${main}^{commit}`,
    ],
    limits,
  )
  const remote = known.exitCode === 0 ? known.stdout.trim() : null
  const counts =
    facts.head && remote
      ? await gitText(
          repository,
          ['rev-list', '--left-right', '--count', `${facts.head}...${remote}`],
          limits,
        )
      : '0 0'
  const [ahead = 0, behind = 0] = counts.split(/\s+/).map(Number)
  const environment = attempt(() => {
    refuseProductionHost(repository, env)
    refuseCodexSkip(env)
  })

  const blocked = (): string | null => {
    if (environment.problem !== null) return environment.problem
    if (config.problem !== null) return config.problem
    if (facts.head === null) return 'The repository has no commit yet.'
    if (facts.unfinished) return 'A merge, rebase or cherry-pick is not finished.'
    if (facts.branch !== main)
      return `The repository is on ${facts.branch ?? 'no branch'}; ship goes from ${main}.`
    if (facts.dirty_files > 0)
      return `${count(facts.dirty_files, 'file is', 'files are')} not committed.`
    if (remote === null) return `origin/${main} is not known here; fetch it once.`
    if (behind > 0)
      return ahead > 0
        ? `${main} and origin/${main} have gone different ways.`
        : `${main} is ${count(behind, 'commit', 'commits')} behind origin/${main}.`
    if (ahead === 0) return `Nothing to ship: origin/${main} has every commit.`
    return next.problem
  }
  return {
    name: config.value?.project ?? basename(repository),
    branch: facts.branch,
    head: facts.head,
    subject: subject === null ? null : redact.text(subject),
    remote,
    ahead,
    behind,
    dirty_files: facts.dirty_files,
    next_action: next.value,
    ship_blocked: blocked(),
  }
}
