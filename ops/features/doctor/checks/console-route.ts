import { hostdPaths } from '#shared/hostd-paths'
import { maintenanceReply } from '#shared/api'
import { pass, skip } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { readAdminToken } from '#ops/core/config/admin-token'
import { consoleServiceName } from '#ops/core/host-state/service-record'
import { servicesUp } from '#ops/host/engines/registry'
import { requireReply } from '#ops/host/hostd-client/probe'

export const consoleRoute: HostCheck = {
  name: 'console_route',
  title: 'Console',
  description: 'The console forwards a request for the API to hostd.',
  remedies: ['deploy_again'],
  run: async ({ paths, consoleUrl }, signal) => {
    if (!servicesUp(paths).includes(consoleServiceName))
      return skip('No deploy has started the console yet.')
    await requireReply({
      base: consoleUrl,
      path: hostdPaths.maintenance,
      schema: maintenanceReply,
      token: readAdminToken(paths.tokenFile),
      signal,
    })
    return pass(`${consoleUrl} forwards the API`)
  },
}
