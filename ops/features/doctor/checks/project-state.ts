import { Problem } from '#shared/errors'
import { warn } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { stateFinding } from '../facts/deploys.ts'

export const projectStateCheck: HostCheck = {
  name: 'project_state',
  title: 'Project state',
  description: 'The project state can be read; it is missing only if no deploy was ever green.',
  remedies: ['deploy_again'],
  run: ({ paths, deployRunId }) => {
    try {
      return stateFinding(paths)
    } catch (error) {
      // Within a deploy the deploy itself has checked the state, and it writes a new one at its end.
      if (deployRunId === null || !(error instanceof Problem)) throw error
      return warn(`${error.message}; this deploy writes a new one`, 'deploy_again')
    }
  },
}
