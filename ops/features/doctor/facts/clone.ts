// The clone that deploys come from, and what origin holds.
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { commitId } from '#shared/ids'
import { hostGit } from '#ops/platform/git/host-git'
import { git, gitReason, gitText, type GitOptions } from '#ops/platform/git/run-git'
import type { DoctorContext } from '#ops/core/checks/context'
import { oncePerRun } from './once-per-run.ts'

/** Time limit for origin, seconds: below the limit of a check, so that the finding can say what happened. */
export const originSeconds = 1.6

/** Time limit for a git command on the clone, seconds: above the limit of the check, which decides. */
export const gitSeconds = ({ deployRunId }: Pick<DoctorContext, 'deployRunId'>): number =>
  deployRunId === null ? 3 : 11

export interface Clone {
  readonly options: GitOptions
  /** The folder with its objects and configuration. */
  readonly commonDir: string
  /** The checked-out commit and its date in seconds since 1970; null in a clone without a commit. */
  readonly head: { readonly sha: string; readonly committed: number } | null
}

export interface OriginTip {
  /** Null: no such branch, or no answer. */ readonly sha: string | null
  readonly why: string | null
}

export const hasClone = ({ paths }: DoctorContext): boolean => existsSync(join(paths.root, '.git'))

/** The clone, read once per run. @throws {Problem} `git_sync_failed` with the message of git */
export const cloneOf = (context: DoctorContext): Promise<Clone> =>
  oncePerRun(context, 'clone', () => readClone(context))

async function readClone(context: DoctorContext): Promise<Clone> {
  const { root } = context.paths
  const options: GitOptions = { ...(await hostGit(root)), timeLimitSeconds: gitSeconds(context) }
  const strict = { ...options, errorClass: 'git_sync_failed' as const }
  const [folder, shown] = await Promise.all([
    gitText(root, ['rev-parse', '--git-common-dir'], strict),
    git(root, ['show', '--no-patch', '--no-show-signature', '--format=%H %ct', 'HEAD'], options),
  ])
  const [sha, committed] = shown.exitCode === 0 ? shown.stdout.trim().split(' ') : []
  return {
    options,
    commonDir: resolve(root, folder),
    head: sha === undefined ? null : { sha: commitId.parse(sha), committed: Number(committed) },
  }
}

/** What origin has on the branch that this host follows, read once per run. @throws {Problem} as `cloneOf` */
export const originTip = (context: DoctorContext): Promise<OriginTip> =>
  oncePerRun(context, 'origin', () => readOrigin(context))

export const branchOf = ({ config }: DoctorContext): string => config?.branch ?? 'main'

export const originRef = (context: DoctorContext): string => `refs/heads/${branchOf(context)}`

async function readOrigin(context: DoctorContext): Promise<OriginTip> {
  const { options } = await cloneOf(context)
  const ref = originRef(context)
  const listed = await git(context.paths.root, ['ls-remote', '--end-of-options', 'origin', ref], {
    ...options,
    timeLimitSeconds: originSeconds,
  })
  if (listed.timedOut) return { sha: null, why: `it gave no answer within ${originSeconds} s` }
  if (listed.exitCode !== 0) return { sha: null, why: gitReason(listed) }
  return {
    sha:
      listed.stdout
        .split('\n')
        .map((line) => line.split('\t'))
        .find(([, name]) => name === ref)?.[0] ?? null,
    why: null,
  }
}
