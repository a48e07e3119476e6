import { projectState } from '#shared/result'
import { readJson } from '#ops/base/files/json-file'
import { fail, pass, skip } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { readServing } from '#ops/core/host-state/service-record'
import { headOf, noCloneYet } from '../facts/deploys.ts'

export const gitHead: HostCheck = {
  name: 'git_head',
  title: 'Checked-out commit',
  description: 'HEAD of the clone is the target of the last deploy.',
  remedies: ['deploy_again'],
  run: async (context) => {
    const { paths, deployRunId } = context
    const missing = noCloneYet(context)
    if (missing) return missing
    const head = await headOf(context)
    // Within a deploy the state still names the commit before it: the commit that was started counts.
    const target =
      deployRunId === null
        ? readJson(paths.projectState, projectState, 'state_invalid')?.target_sha
        : readServing(paths)?.sha
    if (target === undefined) return skip(`HEAD is ${head}; no deploy has set a target yet.`)
    return head === target
      ? pass(`HEAD is ${head}, the target`)
      : fail(`HEAD is ${head}; the target is ${target}.`, 'deploy_again')
  },
}
