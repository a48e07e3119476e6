import { healthReply, maintenanceReply, statusReply } from '#shared/api'
import { readAdminToken } from '#ops/core/config/admin-token'
import { allHealth, servicesUp } from '#ops/host/engines/registry'
import { consoleServiceName } from '#ops/core/host-state/service-record'
import { fail, pass, skip, type Check } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'
import { probeApi, requireReply } from '#ops/host/hostd-client/probe'

/** hostd answers, and lets in only who has the token. */
export const hostdChecks = ({ paths, hostdUrl }: DoctorContext): Check[] => [
  {
    name: 'hostd_health',
    remedy: 'restart_hostd',
    run: async (signal) => {
      const { version, uptime_seconds } = await requireReply({
        base: hostdUrl,
        path: '/health',
        schema: healthReply,
        signal,
      })
      return pass(`hostd ${version} answers at ${hostdUrl}, up for ${uptime_seconds} s`)
    },
  },
  {
    name: 'hostd_auth',
    remedy: 'set_admin_token',
    run: async (signal) => {
      const token = readAdminToken(paths.tokenFile)
      const without = await probeApi({ base: hostdUrl, path: '/api/status', signal })
      if (without.status !== 403)
        return fail(
          `/api/status without a token answered ${without.status}, not 403.`,
          'restart_hostd',
        )
      await requireReply({
        base: hostdUrl,
        path: '/api/status',
        schema: statusReply,
        token,
        signal,
      })
      return pass('403 without the token, status with it')
    },
  },
]

/** The console hands the API on. */
export const consoleChecks = ({ paths, consoleUrl }: DoctorContext): Check[] => [
  {
    name: 'console_route',
    remedy: 'deploy_again',
    run: async (signal) => {
      if (!servicesUp(paths).includes(consoleServiceName))
        return skip('No deploy has started the console yet.')
      await requireReply({
        base: consoleUrl,
        path: '/api/maintenance',
        schema: maintenanceReply,
        token: readAdminToken(paths.tokenFile),
        signal,
      })
      return pass(`${consoleUrl} hands the API on`)
    },
  },
]

/** Every service that was started is alive and answers as the commit it was built from. */
export const serviceChecks = ({
  paths,
  settings,
  config,
  configProblem,
}: DoctorContext): Check[] => [
  {
    name: 'services',
    remedy: 'deploy_again',
    run: async (signal) => {
      const started = servicesUp(paths)
      if (started.length === 0) return skip('No deploy has started services yet.')
      if (!config)
        return fail(
          `The project's configuration cannot be read: ${configProblem ?? ''}`,
          'fix_configuration',
        )
      const missing = config.services
        .filter(({ name }) => !started.includes(name))
        .map(({ name }) => name)
      if (missing.length > 0)
        return fail(`Configured but never started: ${missing.join(', ')}.`, 'deploy_again')
      const seen = await allHealth({ paths, settings }, signal)
      const ill = seen.filter(({ why }) => why !== null)
      const details = (ill.length > 0 ? ill : seen).map(({ detail }) => detail).join('; ')
      return ill.length > 0 ? fail(details, 'deploy_again') : pass(details)
    },
  },
]
