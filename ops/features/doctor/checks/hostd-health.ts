import { hostdPaths } from '#shared/hostd-paths'
import { healthReply } from '#shared/api'
import { pass } from '#ops/core/checks/check'
import type { HostCheck } from '#ops/core/checks/host-check'
import { requireReply } from '#ops/host/hostd-client/probe'

export const hostdHealth: HostCheck = {
  name: 'hostd_health',
  title: 'hostd',
  description: 'hostd answers at its address.',
  remedies: ['restart_hostd', 'retry_when_reachable'],
  run: async ({ hostdUrl }, signal) => {
    const { version, uptime_seconds } = await requireReply({
      base: hostdUrl,
      path: hostdPaths.health,
      schema: healthReply,
      signal,
    })
    return pass(`hostd ${version} answers at ${hostdUrl}, up for ${uptime_seconds} s`)
  },
}
