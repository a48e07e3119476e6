import type { ProjectConfig } from '#shared/config'

/** Ways in which something gets out of its bounds: reachable from outside, or able to take the host over. */
export const exposureCodes = [
  'public_publish',
  'public_socket',
  'public_nat',
  'host_network',
  'lan_network',
  'container_network',
  'host_namespace',
  'privileged',
  'dangerous_capability',
  'weakened_isolation',
  'docker_socket',
  'host_mount',
  'device',
  'build_host_access',
  'unknown_setting',
  'funnel',
  'foreground_serve',
  'serve_target',
] as const
export type ExposureCode = (typeof exposureCodes)[number]

export interface Exposure {
  readonly code: ExposureCode
  /** Service of the compose file, name of a container, or program that owns a socket. */
  readonly service: string
  /** What exactly: `tcp 0.0.0.0:8080`, `SYS_ADMIN`, `/var/run/docker.sock` … An exception names it. */
  readonly subject: string
  /** One sentence for a person. */
  readonly detail: string
  /** Where it is written: file and JSON pointer, or where it was seen. */
  readonly pointer: string
  /** Set where a port is open. */
  readonly port?: { readonly protocol: string; readonly number: number }
}

export type ExposureExceptions = Pick<ProjectConfig['ports'], 'exceptions'> & {
  readonly compose: readonly {
    readonly code: string
    readonly service: string
    readonly subject: string
    readonly reason: string
  }[]
}

export const noExceptions: ExposureExceptions = { exceptions: [], compose: [] }

/** @returns the configured reason why this one is expected, or null. An empty reason is none. */
export function excuseFor(
  exposure: Exposure,
  { exceptions, compose }: ExposureExceptions,
): string | null {
  const { code, service, subject, port } = exposure
  const byPort =
    port === undefined
      ? undefined
      : exceptions.find((each) => each.protocol === port.protocol && each.port === port.number)
  const named = compose.find(
    (each) => each.code === code && each.service === service && each.subject === subject,
  )
  const reason = (byPort ?? named)?.reason.trim() ?? ''
  return reason === '' ? null : reason
}

export interface Judged {
  readonly open: readonly Exposure[]
  readonly excused: readonly { readonly exposure: Exposure; readonly reason: string }[]
}

/** Splits what was found into what the configuration expects, with its reason, and what it does not. */
export function applyExceptions(
  found: readonly Exposure[],
  exceptions: ExposureExceptions,
): Judged {
  const judged = found.map((exposure) => ({ exposure, reason: excuseFor(exposure, exceptions) }))
  return {
    open: judged.flatMap(({ exposure, reason }) => (reason === null ? [exposure] : [])),
    excused: judged.flatMap(({ exposure, reason }) =>
      reason === null ? [] : [{ exposure, reason }],
    ),
  }
}

/** All on one line, for the message of a failure. */
export const listExposures = (found: readonly Exposure[]): string =>
  found.map(({ service, detail, pointer }) => `${service}: ${detail} (${pointer})`).join(' · ')
