import type { ErrorClass } from '#shared/errors'
import type { CheckResult } from '#shared/result'
import type { Check } from '#ops/core/checks/check'
import type { DoctorContext } from '#ops/core/checks/context'
import { mountRules } from '#ops/host/engines/common/host-docker'
import { engineInUse } from '#ops/host/engines/registry'
import { hqTargets } from '#ops/core/host-state/hq-targets'
import { hostPortChecks } from './host-audit.ts'
import { sharedPortChecks } from './shared-audit.ts'

/** The error class of a failed check of the audit. A Docker that does not answer has opened nothing. */
export const auditClass = ({ remedy }: CheckResult): ErrorClass =>
  remedy === 'start_docker' ? 'docker_unreachable' : 'public_port'

/**
 * The port audit for the engine of this host: of the processes of HQ on a shared machine, else of the whole host.
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
  // A configuration that cannot be read allows nothing, and does not change which engine runs the services.
  const engine = engineInUse(paths, config)
  if (engine.sharesMachine)
    return sharedPortChecks({
      host: { paths, settings },
      engine,
      hostdPort,
      exceptions: config?.ports.exceptions ?? [],
      othersReason:
        config === null
          ? 'there is no openclaw.config.json yet, which names the engine and what may be open'
          : `with the engine "${engine.name}" the machine may be shared`,
    })
  return hostPortChecks({
    docker: { socket: settings.docker_socket },
    exceptions: {
      exceptions: config?.ports.exceptions ?? [],
      compose: config?.compose.exceptions ?? [],
    },
    mounts: mountRules({ paths, settings }),
    hq: hqTargets(paths, settings, hostdPort),
    ...(limitMs === undefined ? {} : { limitMs }),
  })
}
