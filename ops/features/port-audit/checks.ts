import { existsSync } from 'node:fs'
import type { ErrorClass } from '#shared/errors'
import type { CheckResult } from '#shared/result'
import type { Check } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'
import { composeFolder } from '#ops/host/engines/compose/record'
import { mountRules } from '#ops/host/engines/compose/rules'
import { portChecks } from './audit.ts'
import { hostPortChecks } from './host-audit.ts'

/** Which class a failed check of the audit has: a Docker that does not answer has opened nothing. */
export const auditClass = ({ remedy }: CheckResult): ErrorClass =>
  remedy === 'start_docker' ? 'docker_unreachable' : 'public_port'

/**
 * The port audit that fits this host: with the engine `compose` the host is HQ's own and is judged as a whole; with
 * `process` the machine may be shared, and HQ's own processes are judged.
 * @param limitMs longest time of one check, milliseconds
 */
export function auditChecks(
  {
    paths,
    settings,
    config,
    hostdPort,
  }: Pick<DoctorContext, 'paths' | 'settings' | 'config' | 'hostdPort'>,
  limitMs?: number,
): Check[] {
  // A configuration that cannot be read excuses nothing, and does not make a host of containers another one.
  const whole = config === null ? existsSync(composeFolder(paths)) : config.engine === 'compose'
  if (!whole)
    return portChecks(
      paths,
      hostdPort,
      config?.ports.exceptions ?? [],
      config === null
        ? 'there is no openclaw.config.json yet, which names the engine and what may be open'
        : 'with the engine "process" the machine may be shared',
    )
  return hostPortChecks({
    docker: { socket: settings.docker_socket },
    exceptions: {
      exceptions: config?.ports.exceptions ?? [],
      compose: config?.compose.exceptions ?? [],
    },
    mounts: mountRules(paths),
    serveTargets: [`http://127.0.0.1:${hostdPort}`],
    ...(limitMs === undefined ? {} : { limitMs }),
  })
}
