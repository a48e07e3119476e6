// Fetches what a shallow or partial clone leaves out, as far as it is needed.
import { Problem } from '#shared/errors'
import { LineSplitter } from '#ops/base/process/lines'
import { commitOf } from './commits.ts'
import { git, gitFailure, gitReason, type GitOptions } from './run-git.ts'

interface Needed {
  readonly remote: string
  /** Commits whose history is needed. */
  readonly tips: readonly string[]
  /** Of its history only the commit itself is needed; null: everything below the tips is. */
  readonly from: string | null
}

/** Trees of trees are missing one level after the other; no repository is that deep. */
const maxRounds = 200

const quiet = ['--quiet', '--no-tags', '--no-recurse-submodules', '--no-write-fetch-head'] as const

/**
 * A clone made with `--depth` or `--filter` lacks commits or files that a review compares. They are fetched into it.
 * @returns what was fetched, for the log; null when the clone is whole as far as needed
 * @throws {Problem} `clone_incomplete`
 */
export async function completeClone(
  repo: string,
  needed: Needed,
  options: GitOptions,
): Promise<string | null> {
  const within = { timeLimitSeconds: 300, ...options, network: true }
  const history = (await isShallow(repo, within)) ? await deepen(repo, needed.remote, within) : null
  const files = (await isPartial(repo, within)) ? await fetchObjects(repo, needed, within) : null
  const parts = [history, files].filter((part) => part !== null)
  return parts.length === 0 ? null : `this clone was not whole; fetched ${parts.join(' and ')}`
}

async function isShallow(repo: string, options: GitOptions): Promise<boolean> {
  const { stdout } = await git(repo, ['rev-parse', '--is-shallow-repository'], options)
  return stdout.trim() === 'true'
}

async function isPartial(repo: string, options: GitOptions): Promise<boolean> {
  const names = '^(remote\\..*\\.promisor|extensions\\.partialclone)$'
  return (await git(repo, ['config', '--get-regexp', names], options)).exitCode === 0
}

async function deepen(repo: string, remote: string, options: GitOptions): Promise<string> {
  const fetched = await git(
    repo,
    ['fetch', '--unshallow', ...quiet, '--no-auto-maintenance', '--end-of-options', remote],
    options,
  )
  if (fetched.exitCode !== 0)
    throw incomplete('is shallow', `its history could not be fetched: ${gitReason(fetched)}`, {
      evidence: gitFailure(fetched),
    })
  return 'its history'
}

async function fetchObjects(
  repo: string,
  needed: Needed,
  options: GitOptions,
): Promise<string | null> {
  let count = 0
  for (let round = 0; round < maxRounds; round += 1) {
    const missing = await missingObjects(repo, needed, options)
    if (missing.length === 0) return count === 0 ? null : `${count} objects`
    count += missing.length
    // As git fetches them itself when it misses one: those that are named, whatever the filter of the clone.
    const fetched = await git(
      repo,
      ['fetch', ...quiet, '--filter=blob:none', '--stdin', '--end-of-options', needed.remote],
      {
        ...options,
        config: { ...options.config, 'fetch.negotiationAlgorithm': 'noop' },
        input: `${missing.join('\n')}\n`,
      },
    )
    if (fetched.exitCode !== 0)
      throw incomplete('is partial', `its files could not be fetched: ${gitReason(fetched)}`, {
        evidence: gitFailure(fetched),
      })
  }
  throw incomplete('is partial', 'files are missing again after each fetch')
}

async function missingObjects(
  repo: string,
  { tips, from }: Needed,
  options: GitOptions,
): Promise<string[]> {
  const start = from === null ? null : await commitOf(repo, from, options)
  const missing = (args: readonly string[]): Promise<string[]> => listMissing(repo, args, options)
  if (start === null) return missing(tips)
  return [
    ...new Set([
      ...(await missing([...tips, `^${start}`])),
      ...(await missing(['--no-walk', start])),
    ]),
  ]
}

async function listMissing(
  repo: string,
  args: readonly string[],
  options: GitOptions,
): Promise<string[]> {
  // Every object is listed, also those that are there; only the missing ones are kept.
  const found: string[] = []
  const lines = new LineSplitter((line) => {
    if (line.startsWith('?')) found.push(line.slice(1))
  })
  const onBytes = (piece: Buffer): void => lines.push(piece)
  const list = ['rev-list', '--objects', '--missing=print', ...args]
  const listed = await git(repo, list, { ...options, onBytes })
  lines.end()
  if (listed.exitCode !== 0)
    throw incomplete('is partial', `what it lacks cannot be listed: ${gitReason(listed)}`)
  return found
}

const incomplete = (
  what: string,
  why: string,
  options: { readonly evidence?: readonly string[] } = {},
): Problem =>
  new Problem(
    'clone_incomplete',
    `The clone ${what}, and ${why}. A review needs what it leaves out. Nothing was changed.`,
    options,
  )
