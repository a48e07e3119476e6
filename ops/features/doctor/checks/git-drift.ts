import { projectState } from '#shared/result'
import { readJson } from '#ops/base/files/json-file'
import { pass, warn } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { originRef, originTip } from '../facts/clone.ts'
import { headOf, noCloneYet } from '../facts/deploys.ts'

export const gitDrift: HostCheck = {
  name: 'git_drift',
  title: 'Drift',
  description: 'origin has the commit that is checked out on the host.',
  remedies: ['retry_when_reachable', 'deploy_again', 'ship_or_unpin'],
  late: 'WARN',
  run: async (context) => {
    const { paths, deployRunId } = context
    const missing = noCloneYet(context)
    if (missing) return missing
    const [head, { sha: remote, why }] = await Promise.all([headOf(context), originTip(context)])
    const ref = originRef(context)
    if (why !== null) return warn(`origin does not answer: ${why}`, 'retry_when_reachable')
    if (remote === null) return warn(`origin has no ${ref}.`, 'deploy_again')
    // Within a deploy the state is that of the deploy before, and project_state checks whether it can be read.
    const pinned =
      deployRunId === null
        ? readJson(paths.projectState, projectState, 'state_invalid')?.pin
        : undefined
    if (pinned && remote === pinned.from_sha)
      return warn(
        `drift: pinned by rollback ${pinned.run_id}: HEAD is ${head}, origin's ${ref} is ${remote}`,
        'ship_or_unpin',
      )
    return remote === head
      ? pass(`origin's ${ref} is ${head} too`)
      : warn(`drift: origin's ${ref} is ${remote}, HEAD is ${head}`, 'deploy_again')
  },
}
