import { hostPortChecks } from '#ops/features/port-audit/host-audit'
import { ordinaryMounts } from '#ops/platform/net/host-mounts'
import { runChecks } from '#ops/core/checks/check'

/** The audit as a process of its own, so that a test can put it into a network namespace. Prints the checks as JSON. */
const [socket = '', exceptions = '{"exceptions":[],"compose":[]}'] = process.argv.slice(2)
const checks = await runChecks(
  hostPortChecks({
    docker: { socket },
    exceptions: JSON.parse(exceptions) as Parameters<typeof hostPortChecks>[0]['exceptions'],
    mounts: { ...ordinaryMounts, sockets: [socket] },
    hq: {
      hostdPort: 8877,
      consolePort: 8787,
      tailnetSocket: '/run/openclaw/tailnet/hostd.sock',
      dockerSocket: '/run/docker.sock',
      narrowed: false,
    },
    limitMs: 60_000,
  }),
)
process.stdout.write(JSON.stringify(checks))
