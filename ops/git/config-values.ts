import { Problem } from '#shared/errors'
import { baseEnv, runCommand } from '#ops/command'
import { git, type GitOptions } from './run-git.ts'

export interface ConfigValue { readonly scope: string; readonly origin: string; readonly value: string }

/**
 * Every value of a configuration name in any scope (system, user, repository, worktree, and what GIT_CONFIG_* of this
 * process would add), as a git that inherits our environment would see it.
 * @param name for example `core.hooksPath`
 */
export async function configValues(repo: string, name: string, env: Readonly<Record<string, string | undefined>> = process.env): Promise<ConfigValue[]> {
  // Not ops/git/run-git.ts: that one shuts the caller's GIT_CONFIG_* out, and here they are the question.
  const seen = Object.fromEntries(Object.entries(env).filter((entry): entry is [string, string] => (entry[0].startsWith('GIT_CONFIG') || entry[0] === 'XDG_CONFIG_HOME') && entry[1] !== undefined))
  const result = await runCommand(['git', 'config', '--show-scope', '--show-origin', '-z', '--get-all', name], { cwd: repo, env: baseEnv(seen), timeLimitSeconds: 30, keepStdout: true })
  if (result.exitCode === 1) return []
  if (result.exitCode !== 0) throw new Problem('hook_bypass', `The git configuration cannot be read, so ${name} is unknown: ${result.stderrTail}`)
  const fields = result.stdout.split('\0').slice(0, -1)
  return Array.from({ length: fields.length / 3 }, (_, index) => ({ scope: fields[3 * index] ?? '', origin: fields[3 * index + 1] ?? '', value: fields[3 * index + 2] ?? '' }))
}

/** Names that decide where a fetch or push goes, and through what. */
const wayNames = '^(remote|url|credential|http|protocol|push|core\\.(sshcommand|gitproxy|askpass))\\.?'

/** All that decides where a fetch or push of this repository goes, as text to be compared. @throws {Problem} `config_invalid` */
export async function wayToRemotes(repo: string, options: GitOptions = {}): Promise<string> {
  const result = await git(repo, ['config', '--null', '--show-origin', '--get-regexp', wayNames], options)
  if (result.exitCode === 0 || result.exitCode === 1) return result.stdout
  throw new Problem('config_invalid', `The git configuration of ${repo} cannot be read: ${result.stderrTail}`)
}
