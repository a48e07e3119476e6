import { Problem } from '#shared/errors'
import { wholeEnvironment, type Environment } from '#ops/base/env'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { git, type GitOptions } from './run-git.ts'
import { searchPathOutside } from './repository-folders.ts'

export interface ConfigValue {
  readonly scope: string
  readonly origin: string
  readonly value: string
}

async function valuesSeenWith(
  repo: string,
  name: string,
  more: Readonly<Record<string, string>>,
): Promise<ConfigValue[]> {
  // Not ops/platform/git/run-git.ts: that one shuts the caller's GIT_CONFIG_* out, and here they are the question.
  const result = await runCommand(
    ['git', 'config', '--show-scope', '--show-origin', '-z', '--get-all', name],
    {
      cwd: repo,
      env: baseEnv({ ...more, PATH: searchPathOutside(repo) }),
      timeLimitSeconds: 30,
      keepStdout: true,
    },
  )
  if (result.exitCode === 1) return []
  if (result.exitCode !== 0)
    throw new Problem(
      'hook_bypass',
      `The git configuration cannot be read, so ${name} is unknown: ${result.stderrTail}`,
    )
  const fields = result.stdout.split('\0').slice(0, -1)
  return Array.from({ length: fields.length / 3 }, (_, index) => ({
    scope: fields[3 * index] ?? '',
    origin: fields[3 * index + 1] ?? '',
    value: fields[3 * index + 2] ?? '',
  }))
}

/**
 * Every value of a configuration name in any scope (system, user, repository, worktree, and what GIT_CONFIG_* of this
 * process would add): as a git that inherits our environment would see it, and as HQ's own git does, which gets
 * nothing of it. GIT_CONFIG_GLOBAL and the like can hide a file from the first that the second reads.
 * @param name for example `core.hooksPath`
 */
export async function configValues(
  repo: string,
  name: string,
  env: Environment = wholeEnvironment(),
): Promise<ConfigValue[]> {
  const given = (wanted: (name: string) => boolean): Record<string, string> =>
    Object.fromEntries(
      Object.entries(env).filter(
        (entry): entry is [string, string] => wanted(entry[0]) && entry[1] !== undefined,
      ),
    )
  // GIT_CONFIG itself is only for `git config`, which then reads that one file: it says nothing about any other
  // command.
  const [own, inherited] = [
    given((each) => each === 'XDG_CONFIG_HOME'),
    given((each) => each === 'XDG_CONFIG_HOME' || each.startsWith('GIT_CONFIG_')),
  ]
  const values = await valuesSeenWith(repo, name, own)
  if (Object.keys(inherited).length === Object.keys(own).length) return values
  const key = (each: ConfigValue): string => JSON.stringify(each)
  return [
    ...new Map(
      [...values, ...(await valuesSeenWith(repo, name, inherited))].map((each) => [
        key(each),
        each,
      ]),
    ).values(),
  ]
}

/** Names that decide where a fetch or push goes, and through what. */
const wayNames =
  '^(remote|url|credential|http|protocol|push|core\\.(sshcommand|gitproxy|askpass))\\.?'

/**
 * All that decides where a fetch or push of this repository goes, as text to be compared.
 * @throws {Problem} `config_invalid`
 */
export async function wayToRemotes(repo: string, options: GitOptions = {}): Promise<string> {
  const result = await git(
    repo,
    ['config', '--null', '--show-origin', '--get-regexp', wayNames],
    options,
  )
  if (result.exitCode === 0 || result.exitCode === 1) return result.stdout
  throw new Problem(
    'config_invalid',
    `The git configuration of ${repo} cannot be read: ${result.stderrTail}`,
  )
}
