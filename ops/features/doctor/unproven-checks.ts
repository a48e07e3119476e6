import { existsSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { projectState } from '#shared/result'
import { readServing } from '#ops/core/host-state/service-record'
import { commitOf } from '#ops/platform/git/commits'
import { git, gitFailure, gitText, type GitOptions } from '#ops/platform/git/run-git'
import { readJson } from '#ops/base/files/json-file'
import { trustKeys } from '#ops/core/trust/trusted-keys'
import type { ChainQuestion } from '#ops/core/trust/review-chain'
import { temporaryFolder } from '#ops/base/process/run-as'
import { readTrustFile } from '#ops/core/config/settings-files'
import { fail, pass, skip, warn, type Check, type Finding } from '#ops/core/checks/check'
import { cloneOf, hasClone, originRef, originSeconds, originTip, type Clone } from './clone.ts'
import type { DoctorContext } from '#ops/core/checks/context'
import { coverage, listUnproven } from './coverage.ts'

/** Milliseconds for the verdicts; the rest of the check's limit is for git itself. */
const walkMs = 1_300

const short = (sha: string): string => sha.slice(0, 12)
const verdictsOf = (count: number): string =>
  count === 0
    ? 'it is the trusted baseline'
    : `${count} ${count === 1 ? 'verdict reaches' : 'verdicts reach'} back to the baseline`

type Trust = Pick<ChainQuestion, 'baseline' | 'acceptedProviders' | 'keys'>

/** @returns why there is nothing to judge, or what to judge by @throws {Problem} `config_invalid` when the trust file is off or was lost */
function trustOf(context: DoctorContext): string | Trust {
  const { paths } = context
  if (!hasClone(context)) return `${paths.root} is no clone yet.`
  if (!existsSync(paths.trustFile) && readServing(paths) === undefined)
    return `There is no ${paths.trustFile} yet: this host trusts no review, and nothing can be deployed.`
  const { baseline, review_providers, keys } = readTrustFile(paths)
  return { baseline, acceptedProviders: review_providers, keys: trustKeys(keys, paths.trustFile) }
}

/** Has a deploy proven this very commit with the trust file as it is now? It walks the whole chain, however long. */
function provenByDeploy({ paths, deployRunId }: DoctorContext, sha: string): string | null {
  if (deployRunId !== null && readServing(paths)?.sha === sha) return `this deploy, ${deployRunId}`
  const state = readJson(paths.projectState, projectState, 'state_invalid')
  const same =
    state?.last_verified_head === sha &&
    statSync(paths.trustFile).mtimeMs < Date.parse(state.last_deploy_timestamp)
  return same
    ? `deploy ${state.last_deploy_run_id}, and the trust file has not changed since`
    : null
}

async function ofHead(context: DoctorContext): Promise<Finding> {
  const trust = trustOf(context)
  if (typeof trust === 'string') return skip(trust)
  const { options, head } = await cloneOf(context)
  if (head === null) return skip('The clone has no commit yet.')
  const found = await coverage({
    repo: context.paths.root,
    git: options,
    tip: head.sha,
    limitMs: walkMs,
    ...trust,
  })
  if (found.state === 'proven')
    return pass(`HEAD ${short(head.sha)} is proven: ${verdictsOf(found.verdicts)}`)
  if (found.state === 'unfinished') {
    const by = provenByDeploy(context, head.sha)
    const detail = `The newest ${found.verdicts} verdicts of HEAD ${short(head.sha)} are good; there was no time for more`
    // With not even its own verdict verified, nothing speaks for this HEAD.
    if (by === null)
      return (found.verdicts === 0 ? fail : warn)(
        `${detail}, and no deploy has proven the rest.`,
        'deploy_again',
      )
    return pass(`${detail}. The whole chain was proven by ${by}.`)
  }
  if (readServing(context.paths) === undefined)
    return warn(
      `Nothing is deployed yet. HEAD has ${listUnproven(found)}; a deploy of it will be refused.`,
      'ship_the_commit',
    )
  return fail(`HEAD has ${listUnproven(found)}.`, 'ship_the_commit')
}

/**
 * What origin has now, without a change to the clone: branch and reviews are fetched into a repository beside it that
 * borrows the clone's objects and its way to origin.
 * @returns options for git in that repository, or why there is none
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
  // The clone's settings first, so that what this host insists on still has the last word.
  const config = { 'include.path': join(commonDir, 'config'), ...options.config }
  const fetched = await git(
    folder,
    [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-recurse-submodules',
      '--no-auto-maintenance',
      '--no-write-fetch-head',
      '--end-of-options',
      'origin',
      `+${ref}:refs/openclaw/tip`,
      '+refs/openclaw/reviews/*:refs/openclaw/reviews/*',
    ],
    { ...inside, env: { ...inside.env, GIT_DIR: folder }, config, timeLimitSeconds: originSeconds },
  )
  if (fetched.exitCode === 0) return inside
  return fetched.timedOut
    ? `it did not hand over its commits within ${originSeconds} s`
    : (gitFailure(fetched).at(-1) ?? 'no reason given')
}

async function ofOrigin(context: DoctorContext): Promise<Finding> {
  const trust = trustOf(context)
  if (typeof trust === 'string') return skip(trust)
  const [clone, tip] = await Promise.all([cloneOf(context), originTip(context)])
  const ref = originRef(context)
  if (tip.why === null && tip.sha === null) return skip(`origin has no ${ref}.`)
  if (tip.sha !== null && tip.sha === clone.head?.sha)
    return pass(`origin's ${ref} is HEAD, ${short(tip.sha)}: see unproven_commits`)
  const folder = temporaryFolder('origin', clone.options.as)
  try {
    const fetched = tip.why ?? (await fetchBeside(folder, ref, clone))
    // Silent, or not to be reached: then what the last deploy fetched is looked at.
    if (typeof fetched === 'string')
      return await judge(trust, {
        repo: context.paths.root,
        tip: ref.replace('refs/heads/', 'refs/remotes/origin/'),
        words: `origin's ${ref} as last fetched`,
        options: clone.options,
        why: fetched,
      })
    return await judge(trust, {
      repo: folder,
      tip: 'refs/openclaw/tip',
      words: `origin's ${ref}`,
      options: fetched,
      why: null,
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function judge(
  trust: Trust,
  {
    repo,
    tip,
    words,
    options,
    why,
  }: { repo: string; tip: string; words: string; options: GitOptions; why: string | null },
): Promise<Finding> {
  const sha = await commitOf(repo, tip, options)
  if (sha === null)
    return skip(
      `origin does not answer (${why ?? 'no reason given'}), and nothing was fetched before.`,
    )
  const found = await coverage({ repo, git: options, tip: sha, limitMs: walkMs, ...trust })
  const asked = why === null ? '' : `; origin itself does not answer: ${why}`
  if (found.state === 'unproven')
    return warn(
      `${words} has ${listUnproven(found)}; the next deploy will refuse it${asked}`,
      'ship_the_commit',
    )
  if (found.state === 'unfinished')
    return skip(
      `The newest ${found.verdicts} verdicts of ${words} (${short(sha)}) are good; there was no time for more. A deploy proves them all${asked}.`,
    )
  const detail = `${words} (${short(sha)}) is proven: ${verdictsOf(found.verdicts)}`
  return why === null ? pass(detail) : skip(`${detail}${asked}`)
}

/** Commits that no verified verdict covers: on the host they must not be, on origin they stop the next deploy. */
export const unprovenChecks = (context: DoctorContext): Check[] => [
  { name: 'unproven_commits', remedy: 'ship_the_commit', run: () => ofHead(context) },
  {
    name: 'unproven_on_origin',
    remedy: 'retry_when_reachable',
    late: 'WARN',
    run: () => ofOrigin(context),
  },
]
