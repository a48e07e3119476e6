// The clone of a host, and the account that owns it.
import { existsSync, lstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Problem } from '#shared/errors'
import type { HostPaths } from '#ops/base/paths/paths'
import { hostGit } from '#ops/platform/git/host-git'
import { causeOf, git, gitFailure, gitText } from '#ops/platform/git/run-git'
import { giveTo, type RunAs } from '#ops/base/process/run-as'
import type { Change } from '#ops/platform/accounts/change'

const isClone = ({ root }: HostPaths): boolean => existsSync(join(root, '.git'))

/**
 * The folder of the clone belongs to the build account: git and builds then run as that account. An existing clone
 * keeps its owner.
 */
export const cloneFolderChange = (paths: HostPaths, build: RunAs): Change => ({
  did: `set up ${paths.root} for the clone`,
  due: () => !isClone(paths) && lstatSync(paths.root, { throwIfNoEntry: false })?.uid !== build.uid,
  apply: () => {
    mkdirSync(paths.root, { recursive: true, mode: 0o755 })
    giveTo(paths.root, build)
  },
})

const failed = (what: string, evidence: readonly string[]): Problem =>
  new Problem(
    'install_failed',
    `${what}: ${causeOf(evidence) ?? 'git gave no reason'}. Completed steps stay; ` +
      'a new installation continues from there.',
    { evidence: [...evidence] },
  )

/** The default branch of origin. @throws {Problem} `install_failed` when origin cannot be read */
async function defaultBranch(root: string, origin: string): Promise<string> {
  const listed = await git(
    root,
    ['ls-remote', '--symref', '--end-of-options', origin, 'HEAD'],
    await hostGit(root),
  )
  const branch = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(listed.stdout)?.[1]
  if (listed.exitCode !== 0 || branch === undefined)
    throw failed(
      `${origin} cannot be read as the account that owns ${root}`,
      listed.exitCode === 0 ? ['it has no branch'] : gitFailure(listed),
    )
  return branch
}

/** The clone of `origin`, made by the account that owns its folder. A clone of another origin is not replaced. */
export function cloneChange(paths: HostPaths, origin: string): Change {
  const { root } = paths
  const must = async () => ({
    ...(await hostGit(root)),
    errorClass: 'install_failed' as const,
    timeLimitSeconds: 600,
  })
  const current = async (): Promise<string | null> => {
    if (!isClone(paths)) return null
    const { exitCode, stdout } = await git(
      root,
      ['config', '--get', 'remote.origin.url'],
      await hostGit(root),
    )
    return exitCode === 0 ? stdout.trim() : ''
  }
  return {
    did: `cloned ${origin} to ${root}`,
    due: async () => {
      const found = await current()
      if (found !== null && found !== origin)
        throw new Problem(
          'install_refused',
          `${root} has the origin ${found === '' ? '(none)' : found}, not ${origin}. The clone was not changed.`,
        )
      return (
        found === null ||
        (
          await git(
            root,
            ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'],
            await hostGit(root),
          )
        ).exitCode !== 0
      )
    },
    apply: async () => {
      const branch = await defaultBranch(root, origin)
      if (!isClone(paths))
        await gitText(
          root,
          ['init', '--quiet', `--initial-branch=${branch}`, '--template='],
          await must(),
        )
      if ((await current()) === '')
        await gitText(root, ['remote', 'add', '--end-of-options', 'origin', origin], await must())
      await gitText(
        root,
        [
          'fetch',
          '--no-tags',
          '--quiet',
          '--end-of-options',
          'origin',
          `+refs/heads/${branch}:refs/remotes/origin/${branch}`,
        ],
        await must(),
      )
      await gitText(
        root,
        ['reset', '--hard', '--quiet', `refs/remotes/origin/${branch}`],
        await must(),
      )
    },
  }
}
