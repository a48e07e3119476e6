import { fail, pass, skip } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { allHealth, servicesUp } from '#ops/host/engines/registry'

export const services: HostCheck = {
  name: 'services',
  title: 'Services',
  description: 'Every started service is alive and answers as the commit it was built from.',
  remedies: ['deploy_again', 'fix_configuration'],
  run: async ({ paths, settings, config, configProblem }, signal) => {
    const started = servicesUp(paths)
    if (started.length === 0) return skip('No deploy has started services yet.')
    if (!config)
      return fail(
        `The project's configuration cannot be read: ${configProblem ?? ''}`,
        'fix_configuration',
      )
    const missing = config.services
      .map(({ name }) => name)
      .filter((name) => !started.includes(name))
    if (missing.length > 0)
      return fail(`Configured but never started: ${missing.join(', ')}.`, 'deploy_again')
    const all = await allHealth({ paths, settings }, signal)
    const unhealthy = all.filter(({ why }) => why !== null)
    const details = (unhealthy.length > 0 ? unhealthy : all).map(({ detail }) => detail).join('; ')
    return unhealthy.length > 0 ? fail(details, 'deploy_again') : pass(details)
  },
}
