import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { commitId } from '#shared/ids'
import { hostGit } from '#ops/platform/git/host-git'
import { git, gitFailure, gitText, type GitOptions } from '#ops/platform/git/run-git'
import type { DoctorContext } from '#ops/core/checks/context'

/** Longest that origin is waited for, seconds: within the limit of a check, so that the answer says what happened. */
export const originSeconds = 1.6

/** Limit for a question to git itself, seconds: longer than that of the check that asks, which has the last word. */
export const gitSeconds = ({ deployRunId }: Pick<DoctorContext, 'deployRunId'>): number =>
  deployRunId === null ? 3 : 11

export interface Clone {
  readonly options: GitOptions
  /** Its folder with objects and configuration. */
  readonly commonDir: string
  /** The commit that is checked out, and its date in seconds since 1970; null in a clone without a commit. */
  readonly head: { readonly sha: string; readonly committed: number } | null
}

export interface OriginTip {
  /** Null: no such branch, or no answer. */ readonly sha: string | null
  readonly why: string | null
}

interface Questions {
  clone?: Promise<Clone>
  origin?: Promise<OriginTip>
}
const asked = new WeakMap<DoctorContext, Questions>()
const questionsOf = (context: DoctorContext): Questions => {
  const known = asked.get(context) ?? {}
  asked.set(context, known)
  return known
}

export const hasClone = ({ paths }: DoctorContext): boolean => existsSync(join(paths.root, '.git'))

/** What several checks ask of the clone, asked once for all of them. @throws {Problem} `git_sync_failed` with git's own words */
export function cloneOf(context: DoctorContext): Promise<Clone> {
  const questions = questionsOf(context)
  questions.clone ??= look(context)
  return questions.clone
}

async function look(context: DoctorContext): Promise<Clone> {
  const { root } = context.paths
  const options: GitOptions = { ...(await hostGit(root)), timeLimitSeconds: gitSeconds(context) }
  const must = { ...options, errorClass: 'git_sync_failed' as const }
  const [folder, shown] = await Promise.all([
    gitText(root, ['rev-parse', '--git-common-dir'], must),
    git(root, ['show', '--no-patch', '--no-show-signature', '--format=%H %ct', 'HEAD'], options),
  ])
  const [sha, committed] = shown.exitCode === 0 ? shown.stdout.trim().split(' ') : []
  return {
    options,
    commonDir: resolve(root, folder),
    head: sha === undefined ? null : { sha: commitId.parse(sha), committed: Number(committed) },
  }
}

/** What origin has on the branch this host follows, asked once. @throws {Problem} as `cloneOf` */
export function originTip(context: DoctorContext): Promise<OriginTip> {
  const questions = questionsOf(context)
  questions.origin ??= askOrigin(context)
  return questions.origin
}

export const originRef = ({ config }: DoctorContext): string =>
  `refs/heads/${config?.branch ?? 'main'}`

async function askOrigin(context: DoctorContext): Promise<OriginTip> {
  const { options } = await cloneOf(context)
  const ref = originRef(context)
  const listed = await git(context.paths.root, ['ls-remote', '--end-of-options', 'origin', ref], {
    ...options,
    timeLimitSeconds: originSeconds,
  })
  if (listed.timedOut) return { sha: null, why: `it said nothing for ${originSeconds} s` }
  if (listed.exitCode !== 0)
    return { sha: null, why: gitFailure(listed).at(-1) ?? 'no reason given' }
  return {
    sha:
      listed.stdout
        .split('\n')
        .map((line) => line.split('\t'))
        .find(([, name]) => name === ref)?.[0] ?? null,
    why: null,
  }
}
