import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { headBranch } from './refs.ts'
import { git, type GitOptions } from './run-git.ts'
import { readRegularFile } from '#ops/base/files/regular-file'
import { ownerOf } from '#ops/base/process/run-as'
import { sha256Of } from '#ops/base/sha256'
import { Problem } from '#shared/errors'

/**
 * How git runs on a production host: only the clone's own configuration, no credential helper, no attributes from
 * outside the tree, no hooks or fsmonitor (run-git), no transport that runs a program of the remote's choice.
 */
const hostConfig = {
  'credential.helper': '',
  'core.attributesFile': '/dev/null',
  'protocol.ext.allow': 'never',
  'submodule.recurse': 'false',
}

const base: GitOptions = {
  userConfig: false,
  network: true,
  config: hostConfig,
  env: { GIT_ASKPASS: 'false', SSH_ASKPASS: 'false' },
}

/**
 * Options for git in the clone `repo`, with every content filter it configures switched off, so that what is checked
 * out is what was reviewed, byte for byte. It runs as the owner of the clone: on an installed host the build account.
 * @throws {Problem} `git_sync_failed` when there is no such clone or its configuration cannot be read
 */
export async function hostGit(repo: string, signal?: AbortSignal): Promise<GitOptions> {
  if (!existsSync(repo)) throw new Problem('git_sync_failed', `The clone ${repo} does not exist.`)
  const as = ownerOf(repo)
  const options: GitOptions = { ...base, ...(signal ? { signal } : {}), ...(as ? { as } : {}) }
  return { ...options, config: { ...hostConfig, ...(await filtersOff(repo, options)) } }
}

/** Settings that switch every filter off, by the content of the configuration that names the filters. */
const knownFilters = new Map<string, Readonly<Record<string, string>>>()

/**
 * Settings that switch off every content filter of the clone. A deploy runs git about a hundred times, so the filters
 * are listed again only when the configuration has another content.
 */
async function filtersOff(
  repo: string,
  options: GitOptions,
): Promise<Readonly<Record<string, string>>> {
  const digest = configDigest(repo)
  const known = digest === null ? undefined : knownFilters.get(`${repo}\0${digest}`)
  if (known !== undefined) return known
  const off = await listFilters(repo, options)
  // Kept only if the configuration is still the one that was looked up: it may have changed while git read it.
  if (digest !== null && digest === configDigest(repo)) knownFilters.set(`${repo}\0${digest}`, off)
  return off
}

/** Largest configuration that is compared, in bytes. */
const maxConfigBytes = 1024 * 1024

/** @returns null when the file does not tell all: it includes another one, has a second part, or cannot be read */
function configDigest(repo: string): string | null {
  if (existsSync(join(repo, '.git', 'config.worktree'))) return null
  const text = readRegularFile(join(repo, '.git', 'config'), maxConfigBytes)
  return text === null || /include/i.test(text) ? null : sha256Of(text)
}

/** @throws {Problem} `git_sync_failed` when the configuration cannot be read, or names a filter that cannot be set */
async function listFilters(repo: string, options: GitOptions): Promise<Record<string, string>> {
  const listed = await git(
    repo,
    ['config', '--null', '--name-only', '--get-regexp', '^filter\\.'],
    options,
  )
  // Exit 1: no such setting.
  if (listed.exitCode !== 0 && listed.exitCode !== 1)
    throw new Problem(
      'git_sync_failed',
      `The git configuration of ${repo} cannot be read: ${listed.stderrTail}`,
    )
  const names = new Set(
    listed.stdout.split('\0').flatMap((key) => /^filter\.(.+)\.[^.]+$/s.exec(key)?.[1] ?? []),
  )
  const off: Record<string, string> = {}
  for (const name of names) {
    if (name.includes('=') || name.includes('\n'))
      throw new Problem(
        'git_sync_failed',
        `The git configuration of ${repo} has a filter with an invalid name, ${JSON.stringify(name)}.`,
      )
    for (const [key, value] of [
      ['clean', ''],
      ['smudge', ''],
      ['process', ''],
      ['required', 'false'],
    ] as const)
      off[`filter.${name}.${key}`] = value
  }
  return off
}

/** @throws {Problem} `host_not_ready`: nothing can be deployed on a host that has no clone */
export function requireClone(root: string): void {
  if (!existsSync(join(root, '.git')))
    throw new Problem(
      'host_not_ready',
      `${root} is not a clone, so there is nothing to deploy: install hostd again with --origin and the address ` +
        'that this host may read. Nothing was changed.',
    )
}

/** The branch this host follows: the one its clone is on. */
export const followedBranch = async (repo: string, signal: AbortSignal): Promise<string> =>
  (await headBranch(repo, await hostGit(repo, signal))) ?? 'main'
