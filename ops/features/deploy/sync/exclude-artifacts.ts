// The proof lies in the clone by default. Git must neither show nor touch it.
import { join, relative } from 'node:path'
import { Problem } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import { baseEnv, runCommand } from '#ops/base/process/command'
import { git, type GitOptions } from '#ops/platform/git/run-git'

/**
 * Adds the artifacts folder to `info/exclude`, unless git ignores it already. The file is read and written as the
 * owner of the clone, who could have replaced it by a link.
 * @throws {Problem} `git_sync_failed`
 */
export async function excludeFromGit(
  { root, artifacts }: HostPaths,
  gitDir: string,
  options: GitOptions,
): Promise<void> {
  const inside = relative(root, artifacts)
  if (inside === '' || inside.startsWith('..')) return
  const ignored = await git(
    root,
    ['check-ignore', '--quiet', '--no-index', '--', `${inside}/`],
    options,
  )
  if (ignored.exitCode === 0) return
  const info = join(gitDir, 'info')
  for (const argv of [
    ['mkdir', '-p', '--', info],
    ['tee', '-a', '--', join(info, 'exclude')],
  ]) {
    const { exitCode, stderrTail } = await runCommand(argv, {
      cwd: root,
      env: baseEnv(),
      timeLimitSeconds: 30,
      input: `\n/${inside}/\n`,
      ...(options.as ? { as: options.as } : {}),
      ...(options.signal ? { signal: options.signal } : {}),
    })
    if (exitCode !== 0) {
      const why = stderrTail.split('\n').at(-1) || 'no reason given'
      throw new Problem(
        'git_sync_failed',
        `${join(info, 'exclude')} cannot be written: ${why}. The clone was not changed.`,
      )
    }
  }
}
