import { pass, skip, warn } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { endedDeploys, readDeployResult } from '../facts/deploys.ts'

export const lastDeploy: HostCheck = {
  name: 'last_deploy',
  title: 'Last deploy',
  description: 'The last deploy that has ended passed.',
  remedies: ['deploy_again'],
  run: ({ paths, deployRunId }) => {
    // What is kept of this run is shown after that deploy has ended: an earlier failure is past then.
    if (deployRunId !== null)
      return skip(`Deploy ${deployRunId} makes this check; its own result says how it ended.`)
    const [id] = endedDeploys(paths)
    if (id === undefined) return skip('No deploy has ended yet.')
    const result = readDeployResult(paths, id)
    if (result?.overall === 'PASS') return pass(`${id} passed at ${result.finished_at}`)
    // Only a warning: other checks judge what serves, and the deploy shows its own failure.
    return warn(
      `${id} failed: ${result?.error_class ?? 'unknown'} in ${result?.step_failed ?? 'no step'}`,
      result?.next_auto_fix ?? 'deploy_again',
    )
  },
}
