import { hostdPaths } from '#shared/hostd-paths'
import { statusReply } from '#shared/api'
import { fail, pass } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { readAdminToken } from '#ops/core/config/admin-token'
import { probeApi, requireReply } from '#ops/host/hostd-client/probe'

export const hostdAuth: HostCheck = {
  name: 'hostd_auth',
  title: 'Authentication of hostd',
  description: 'hostd refuses a request without the admin token and answers one with it.',
  remedies: ['set_admin_token', 'restart_hostd'],
  run: async ({ hostdUrl, paths }, signal) => {
    const token = readAdminToken(paths.tokenFile)
    const request = { base: hostdUrl, path: hostdPaths.status, signal }
    const { status } = await probeApi(request)
    if (status !== 403)
      return fail(
        `${hostdPaths.status} without a token answered ${status}, not 403.`,
        'restart_hostd',
      )
    await requireReply({ ...request, schema: statusReply, token })
    return pass('403 without the token, status with it')
  },
}
