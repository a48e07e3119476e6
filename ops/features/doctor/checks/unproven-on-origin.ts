import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { shortCommit } from '#shared/ids'
import { evidenceRefspecs } from '#shared/statement'
import { temporaryFolder } from '#ops/base/process/run-as'
import { pass, skip, warn, type Finding } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { commitOf } from '#ops/platform/git/commits'
import { gitReason, gitText, type GitOptions } from '#ops/platform/git/run-git'
import { cloneOf, originRef, originSeconds, originTip, type Clone } from '../facts/clone.ts'
import { coverage, listUnproven } from '../facts/coverage.ts'
import { trustOf, verdictsText, walkMs, type Trust } from '../facts/trust.ts'
import { fetchRefs } from '#ops/platform/git/remote'

export const unprovenOnOrigin: HostCheck = {
  name: 'unproven_on_origin',
  title: 'Unreviewed commits on origin',
  description: 'A verified verdict covers every commit that the next deploy would bring.',
  remedies: ['retry_when_reachable', 'ship_the_commit'],
  late: 'WARN',
  run: async (context) => {
    const trust = await trustOf(context)
    if (typeof trust === 'string') return skip(trust)
    const [clone, tip] = await Promise.all([cloneOf(context), originTip(context)])
    const ref = originRef(context)
    if (tip.why === null && tip.sha === null) return skip(`origin has no ${ref}.`)
    if (tip.sha !== null && tip.sha === clone.head?.sha)
      return pass(`origin's ${ref} is HEAD, ${shortCommit(tip.sha)}: see unproven_commits`)
    const folder = temporaryFolder('origin', clone.options.as)
    try {
      const fetched = tip.why ?? (await fetchBeside(folder, ref, clone))
      // origin cannot be read: then the commits that the last deploy fetched are judged.
      if (typeof fetched === 'string')
        return await judge(trust, {
          repo: context.paths.root,
          tip: ref.replace('refs/heads/', 'refs/remotes/origin/'),
          title: `origin's ${ref} as last fetched`,
          options: clone.options,
          why: fetched,
        })
      return await judge(trust, {
        repo: folder,
        tip: 'refs/openclaw/tip',
        title: `origin's ${ref}`,
        options: fetched,
        why: null,
      })
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  },
}

/**
 * Fetches the branch and the reviews of origin without a change to the clone: into a repository beside it that borrows
 * the clone's objects and its settings for origin.
 * @returns options for git in that repository, or why the fetch failed
 */
async function fetchBeside(
  folder: string,
  ref: string,
  { options, commonDir }: Clone,
): Promise<GitOptions | string> {
  await gitText(
    folder,
    ['init', '--quiet', '--bare', '--template=', '--end-of-options', folder],
    options,
  )
  const inside: GitOptions = {
    ...options,
    env: { ...options.env, GIT_ALTERNATE_OBJECT_DIRECTORIES: join(commonDir, 'objects') },
  }
  // The settings of the clone come first, so that the settings of this host override them.
  const config = { 'include.path': join(commonDir, 'config'), ...options.config }
  const fetched = await fetchRefs(
    folder,
    {
      remote: 'origin',
      refs: [`+${ref}:refs/openclaw/tip`, ...evidenceRefspecs],
    },
    {
      ...inside,
      env: { ...inside.env, GIT_DIR: folder },
      config,
      timeLimitSeconds: originSeconds,
    },
  )
  if (fetched.exitCode === 0) return inside
  return fetched.timedOut
    ? `it did not send its commits within ${originSeconds} s`
    : gitReason(fetched)
}

interface Candidate {
  readonly repo: string
  readonly tip: string
  /** What a message calls the commits. */
  readonly title: string
  readonly options: GitOptions
  /** Why origin itself could not be read; null when it was. */
  readonly why: string | null
}

async function judge(
  trust: Trust,
  { repo, tip, title, options, why }: Candidate,
): Promise<Finding> {
  const sha = await commitOf(repo, tip, options)
  if (sha === null)
    return skip(
      `origin does not answer (${why ?? 'no reason given'}), and nothing was fetched before.`,
    )
  const found = await coverage({ repo, git: options, tip: sha, limitMs: walkMs, ...trust })
  const unread = why === null ? '' : `; origin itself does not answer: ${why}`
  if (found.state === 'unproven')
    return warn(
      `${title} has ${listUnproven(found)}; the next deploy will refuse it${unread}`,
      'ship_the_commit',
    )
  if (found.state === 'unfinished')
    return skip(
      `The newest ${found.verdicts} verdicts of ${title} (${shortCommit(sha)}) are good; there was no time for more. ` +
        `A deploy proves them all${unread}.`,
    )
  const detail = `${title} (${shortCommit(sha)}) is proven: ${verdictsText(found.verdicts)}`
  return why === null ? pass(detail) : skip(`${detail}${unread}`)
}
