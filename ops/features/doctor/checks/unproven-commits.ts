import { statSync } from 'node:fs'
import { shortCommit } from '#shared/ids'
import { projectState } from '#shared/result'
import { readJson } from '#ops/base/files/json-file'
import { fail, pass, skip, warn } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'
import type { HostCheck } from '#ops/core/checks/host-check'
import { readServing } from '#ops/core/host-state/service-record'
import { cloneOf } from '../facts/clone.ts'
import { coverage, listUnproven } from '../facts/coverage.ts'
import { trustOf, verdictsText, walkMs } from '../facts/trust.ts'

export const unprovenCommits: HostCheck = {
  name: 'unproven_commits',
  title: 'Unreviewed commits on the host',
  description: 'A verified verdict covers every commit from the baseline to HEAD.',
  remedies: ['ship_the_commit', 'deploy_again'],
  run: async (context) => {
    const trust = await trustOf(context)
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
      return pass(`HEAD ${shortCommit(head.sha)} is proven: ${verdictsText(found.verdicts)}`)
    if (found.state === 'unfinished') {
      const by = provenByDeploy(context, head.sha)
      const commit = `HEAD ${shortCommit(head.sha)}`
      const detail = `The newest ${found.verdicts} verdicts of ${commit} are good; there was no time for more`
      // If not even the verdict of HEAD itself was verified, nothing proves HEAD.
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
  },
}

/** The deploy that proved this commit with the current trust file, or null. A deploy reads the whole chain. */
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
